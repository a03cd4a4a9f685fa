// SPDX-License-Identifier: Apache-2.0
//
// The values of payload fields as columns and filters see them.

#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace sextant {

enum class FieldType : uint8_t {
  kInteger = 1,    // signed, 64 bits
  kFloat = 2,      // double, finite
  kTimestamp = 3,  // microseconds since 1970-01-01T00:00:00Z, signed, 64 bits
  kBoolean = 4,
  kKeyword = 5,  // UTF-8
};

// "integer", "float", "timestamp", "boolean", "keyword".
absl::string_view FieldTypeName(FieldType type);

// A value of any field but a keyword field, as a number that compares like the
// value: the 64-bit pattern with the sign turned (and, for negative floats, all
// bits). So a window of values is a window of keys, and an open end is the next
// key.
using NumberKey = uint64_t;

NumberKey KeyOfInteger(int64_t value);  // timestamps too
int64_t IntegerOfKey(NumberKey key);
NumberKey KeyOfFloat(double value);  // finite; -0.0 is 0.0
double FloatOfKey(NumberKey key);
NumberKey KeyOfBoolean(bool value);  // 0 or 1

// One value: a key, or the text of a keyword.
using FieldValue = std::variant<NumberKey, std::string>;

// What one point has in one field. Empty: the field is absent (or null, or an
// empty list).
using FieldValues = std::vector<FieldValue>;

}  // namespace sextant
