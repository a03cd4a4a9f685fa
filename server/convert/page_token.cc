// SPDX-License-Identifier: Apache-2.0
#include "server/convert/page_token.h"

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "engine/limits.h"

namespace sextant {
namespace {

// Of the value in a position, in front of the id.
constexpr size_t kKeyDigits = 16;
// The longest position, its checksum, and base64's overhead.
constexpr size_t kTokenBytesMax =
    (limits::kIdBytesMax + kKeyDigits + 8 + 2) / 3 * 4;

std::string Seal(absl::string_view position, uint64_t seed) {
  std::string bytes;
  AppendLittleEndian<uint64_t>(&bytes, Checksum64(position, seed));
  absl::StrAppend(&bytes, position);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::string> Unseal(absl::string_view token, uint64_t seed) {
  std::string bytes;
  uint64_t checksum = 0;
  if (token.size() <= kTokenBytesMax &&
      absl::WebSafeBase64Unescape(token, &bytes)) {
    absl::string_view position = bytes;
    if (ConsumeLittleEndian<uint64_t>(&position, &checksum) &&
        checksum == Checksum64(position, seed)) {
      return std::string(position);
    }
  }
  return InvalidField("page_token",
                      "broken, or not made by this call on this collection; "
                      "leave it empty for the first page");
}

uint64_t SeedOf(const ScrollTarget& target) {
  std::string identity = "scroll/2/";
  AppendLittleEndian<uint64_t>(&identity,
                               static_cast<uint64_t>(target.create_time_us));
  absl::StrAppend(&identity, target.collection, "/", target.query);
  return Checksum64(identity);
}

uint64_t ListSeed() {
  return Checksum64("list/1/");
}

}  // namespace

std::string MakeScrollToken(const ScrollTarget& target,
                            const PagePosition& last) {
  return Seal(
      absl::StrCat(absl::Hex(last.key, absl::kZeroPad16), EncodeId(last.id)),
      SeedOf(target));
}

absl::StatusOr<std::optional<PagePosition>> ReadScrollToken(
    const ScrollTarget& target, absl::string_view token) {
  if (token.empty()) {
    return std::optional<PagePosition>();
  }
  ASSIGN_OR_RETURN(const std::string bytes, Unseal(token, SeedOf(target)));
  const absl::string_view position = bytes;
  uint64_t key = 0;
  // Right by checksum, but a forged one must not reach DecodeId's checks.
  const bool has_key =
      position.size() > kKeyDigits &&
      absl::SimpleHexAtoi(position.substr(0, kKeyDigits), &key);
  const absl::string_view id = has_key ? position.substr(kKeyDigits) : "";
  const bool fits = target.id_kind == IdKind::kNumber
                        ? id.size() == sizeof(uint64_t)
                        : !id.empty() && IsValidUtf8(id);
  if (!fits) {
    return InvalidField("page_token", "broken");
  }
  return std::optional<PagePosition>(
      PagePosition{DecodeId(target.id_kind, id), key});
}

std::string MakeListToken(absl::string_view last_name) {
  return Seal(last_name, ListSeed());
}

absl::StatusOr<std::string> ReadListToken(absl::string_view token) {
  if (token.empty()) {
    return std::string();
  }
  return Unseal(token, ListSeed());
}

}  // namespace sextant
