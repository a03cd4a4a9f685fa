// SPDX-License-Identifier: Apache-2.0
#include "server/convert/page_token.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "engine/limits.h"

namespace sextant {
namespace {

// The longest position, its checksum, and base64's overhead.
constexpr size_t kTokenBytesMax = (limits::kIdBytesMax + 8 + 2) / 3 * 4;

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
  std::string identity = "scroll/1/";
  AppendLittleEndian<uint64_t>(&identity,
                               static_cast<uint64_t>(target.create_time_us));
  absl::StrAppend(&identity, target.collection);
  return Checksum64(identity);
}

uint64_t ListSeed() {
  return Checksum64("list/1/");
}

}  // namespace

std::string MakeScrollToken(const ScrollTarget& target, const PointId& last) {
  return Seal(EncodeId(last), SeedOf(target));
}

absl::StatusOr<std::optional<PointId>> ReadScrollToken(
    const ScrollTarget& target, absl::string_view token) {
  if (token.empty()) {
    return std::optional<PointId>();
  }
  ASSIGN_OR_RETURN(const std::string position, Unseal(token, SeedOf(target)));
  // Right by checksum, but a forged one must not reach DecodeId's checks.
  const bool fits = target.id_kind == IdKind::kNumber
                        ? position.size() == sizeof(uint64_t)
                        : !position.empty() && IsValidUtf8(position);
  if (!fits) {
    return InvalidField("page_token", "broken");
  }
  return std::optional<PointId>(DecodeId(target.id_kind, position));
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
