// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "filters/filter.h"
#include "index/columns/field_value.h"

namespace sextant {

// As a message shows it: 17, 1.5, true, "text" (escaped, cut).
std::string ShownLiteral(const FilterLiteral& literal);

// The value a literal equals. kInvalidArgument saying what was expected and
// what was got.
absl::StatusOr<FieldValue> BindValue(const FilterLiteral& literal,
                                     FieldType type);

// The smallest key at or above `literal` (above it, when open), or none when
// every key is below. Same errors; only for types that are ordered numbers.
absl::StatusOr<std::optional<NumberKey>> BindLowEnd(
    const FilterLiteral& literal, FieldType type, bool open);
// The largest key at or below it (below it, when open), or none when every key
// is above.
absl::StatusOr<std::optional<NumberKey>> BindHighEnd(
    const FilterLiteral& literal, FieldType type, bool open);

}  // namespace sextant
