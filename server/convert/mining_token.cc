// SPDX-License-Identifier: Apache-2.0
#include "server/convert/mining_token.h"

#include <bit>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "base/errors.h"
#include "engine/point.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 0x6d696e65'00000001;  // this format
constexpr size_t kNumbers = 6;

}  // namespace

std::string MiningToken::ToText() const {
  std::string numbers;
  for (const uint64_t number :
       {job, request, source_seq, target_seq, delivered, hash}) {
    AppendLittleEndian(&numbers, number);
  }
  std::string bytes;
  AppendLittleEndian(&bytes, Checksum64(numbers, kSeed));
  return absl::WebSafeBase64Escape(absl::StrCat(bytes, numbers));
}

absl::StatusOr<MiningToken> MiningToken::FromText(absl::string_view text) {
  constexpr size_t kBytes = (kNumbers + 1) * sizeof(uint64_t);
  std::string bytes;
  if (text.size() > 2 * kBytes || !absl::WebSafeBase64Unescape(text, &bytes) ||
      bytes.size() != kBytes) {
    return InvalidField("resume_token", "not made by this call");
  }
  const auto number_at = [&bytes](size_t i) {
    return LoadLittleEndian<uint64_t>(bytes.data() + i * sizeof(uint64_t));
  };
  if (number_at(0) !=
      Checksum64(absl::string_view(bytes).substr(sizeof(uint64_t)), kSeed)) {
    return InvalidField("resume_token", "damaged");
  }
  return MiningToken{number_at(1), number_at(2), number_at(3),
                     number_at(4), number_at(5), number_at(6)};
}

uint64_t HashOfPair(const MinedIds& pair, uint64_t before) {
  const std::string source = EncodeId(pair.source);
  std::string bytes;
  AppendLittleEndian(&bytes, uint64_t{source.size()});
  absl::StrAppend(&bytes, source, EncodeId(pair.target));
  AppendLittleEndian(&bytes, std::bit_cast<uint64_t>(pair.score));
  return Checksum64(bytes, before);
}

}  // namespace sextant
