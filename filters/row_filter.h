// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

#include "filters/bound_filter.h"
#include "index/columns/field_value.h"

namespace sextant {

// One row that has no columns: of a growing segment, or read from the store.
class RowFields {
 public:
  virtual ~RowFields() = default;
  // By position in FilterSchema::fields. In any order; stays as it is until the
  // next call.
  virtual const FieldValues& values(size_t field) const = 0;
  virtual absl::string_view id() const = 0;  // as BoundIds has it
};

// Agrees with SegmentFilter on the same values.
bool RowMatches(const BoundFilter& filter, const RowFields& row);

}  // namespace sextant
