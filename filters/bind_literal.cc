// SPDX-License-Identifier: Apache-2.0
#include "filters/bind_literal.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "index/columns/timestamp.h"

namespace sextant {
namespace {

constexpr size_t kShownBytesMax = 80;
constexpr double kIntegerEnd = 9223372036854775808.0;  // 2^63
constexpr NumberKey kLastKey = std::numeric_limits<NumberKey>::max();

absl::Status Unfit(FieldType type, absl::string_view expected,
                   const FilterLiteral& got) {
  return absl::InvalidArgumentError(
      absl::StrCat("has type ", FieldTypeName(type), ": expected ", expected,
                   ", got ", ShownLiteral(got)));
}

// Keys around a literal that no key may equal: the last below, the first above.
struct Neighbours {
  std::optional<NumberKey> at;  // equal to the literal
  std::optional<NumberKey> below;
  std::optional<NumberKey> above;
};

Neighbours Around(NumberKey key) {
  Neighbours result;
  result.at = key;
  if (key > 0) {
    result.below = key - 1;
  }
  if (key < kLastKey) {
    result.above = key + 1;
  }
  return result;
}

Neighbours AroundFloatAmongIntegers(double value) {
  Neighbours result;
  if (value >= kIntegerEnd) {
    result.below = kLastKey;
  } else if (value < -kIntegerEnd) {
    result.above = 0;
  } else {
    const NumberKey floor =
        KeyOfInteger(static_cast<int64_t>(std::floor(value)));
    if (std::floor(value) == value) {
      return Around(floor);
    }
    // Far from the ends: floats near those are whole numbers.
    result.below = floor;
    result.above = floor + 1;
  }
  return result;
}

absl::StatusOr<Neighbours> BindInteger(const FilterLiteral& literal) {
  if (const auto* integer = std::get_if<int64_t>(&literal)) {
    return Around(KeyOfInteger(*integer));
  }
  const auto* value = std::get_if<double>(&literal);
  if (value == nullptr || !std::isfinite(*value)) {
    return Unfit(FieldType::kInteger, "a finite number", literal);
  }
  return AroundFloatAmongIntegers(*value);
}

absl::StatusOr<Neighbours> BindFloat(const FilterLiteral& literal) {
  if (const auto* integer = std::get_if<int64_t>(&literal)) {
    return Around(KeyOfFloat(static_cast<double>(*integer)));
  }
  const auto* value = std::get_if<double>(&literal);
  if (value == nullptr || !std::isfinite(*value)) {
    return Unfit(FieldType::kFloat, "a finite number", literal);
  }
  return Around(KeyOfFloat(*value));
}

absl::StatusOr<Neighbours> BindTimestamp(const FilterLiteral& literal) {
  if (const auto* micros = std::get_if<int64_t>(&literal)) {
    return Around(KeyOfInteger(*micros));
  }
  const auto* text = std::get_if<std::string>(&literal);
  const auto micros = text == nullptr ? std::nullopt : ParseTimestamp(*text);
  if (!micros.has_value()) {
    return Unfit(FieldType::kTimestamp,
                 "an RFC 3339 time like \"2024-05-01T12:00:00Z\" or integer "
                 "microseconds since 1970",
                 literal);
  }
  return Around(KeyOfInteger(*micros));
}

absl::StatusOr<Neighbours> BindOrdered(const FilterLiteral& literal,
                                       FieldType type) {
  switch (type) {
    case FieldType::kInteger:
      return BindInteger(literal);
    case FieldType::kFloat:
      return BindFloat(literal);
    case FieldType::kTimestamp:
      return BindTimestamp(literal);
    case FieldType::kBoolean:
    case FieldType::kKeyword:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("has type ", FieldTypeName(type),
                   ": ranges need an integer, float or timestamp field"));
}

}  // namespace

std::string ShownLiteral(const FilterLiteral& literal) {
  if (const auto* flag = std::get_if<bool>(&literal)) {
    return *flag ? "true" : "false";
  }
  if (const auto* integer = std::get_if<int64_t>(&literal)) {
    return absl::StrCat(*integer);
  }
  if (const auto* value = std::get_if<double>(&literal)) {
    return absl::StrFormat("%.17g", *value);
  }
  return absl::StrCat(
      "\"", ShownText(*std::get_if<std::string>(&literal), kShownBytesMax),
      "\"");
}

absl::StatusOr<FieldValue> BindValue(const FilterLiteral& literal,
                                     FieldType type) {
  if (type == FieldType::kKeyword) {
    const auto* text = std::get_if<std::string>(&literal);
    if (text == nullptr) {
      return Unfit(type, "a text", literal);
    }
    return FieldValue(*text);
  }
  if (type == FieldType::kBoolean) {
    const auto* flag = std::get_if<bool>(&literal);
    if (flag == nullptr) {
      return Unfit(type, "true or false", literal);
    }
    return FieldValue(KeyOfBoolean(*flag));
  }
  ASSIGN_OR_RETURN(const Neighbours keys, BindOrdered(literal, type));
  if (!keys.at.has_value()) {
    return Unfit(type, "an integer of 64 bits", literal);
  }
  return FieldValue(*keys.at);
}

absl::StatusOr<std::optional<NumberKey>> BindLowEnd(
    const FilterLiteral& literal, FieldType type, bool open) {
  ASSIGN_OR_RETURN(const Neighbours keys, BindOrdered(literal, type));
  return open || !keys.at.has_value() ? keys.above : keys.at;
}

absl::StatusOr<std::optional<NumberKey>> BindHighEnd(
    const FilterLiteral& literal, FieldType type, bool open) {
  ASSIGN_OR_RETURN(const Neighbours keys, BindOrdered(literal, type));
  return open || !keys.at.has_value() ? keys.below : keys.at;
}

}  // namespace sextant
