// SPDX-License-Identifier: Apache-2.0
#include "index/columns/field_value.h"

#include <bit>

namespace sextant {
namespace {

constexpr uint64_t kSign = uint64_t{1} << 63U;

}  // namespace

absl::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kInteger:
      return "integer";
    case FieldType::kFloat:
      return "float";
    case FieldType::kTimestamp:
      return "timestamp";
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kKeyword:
      return "keyword";
  }
  return "unknown";
}

NumberKey KeyOfInteger(int64_t value) {
  return static_cast<uint64_t>(value) ^ kSign;
}

int64_t IntegerOfKey(NumberKey key) {
  return static_cast<int64_t>(key ^ kSign);
}

NumberKey KeyOfFloat(double value) {
  // -0.0 + 0.0 is 0.0.
  const auto bits = std::bit_cast<uint64_t>(value + 0.0);
  return (bits & kSign) != 0 ? ~bits : bits ^ kSign;
}

double FloatOfKey(NumberKey key) {
  return std::bit_cast<double>((key & kSign) != 0 ? key ^ kSign : ~key);
}

NumberKey KeyOfBoolean(bool value) {
  return value ? 1 : 0;
}

}  // namespace sextant
