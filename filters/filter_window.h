// SPDX-License-Identifier: Apache-2.0
//
// Filters that ask for a window of one number field, which an index in the
// order of that field answers as an interval of ranks.

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "filters/bound_filter.h"

namespace sextant {

// A field of which the filter, or a part of its outermost and, is a range. In
// order of first use, each once.
std::vector<size_t> WindowFields(const BoundFilter& filter);

// filter = window and rest.
struct FilterWindow {
  BoundKeyRange window;
  BoundFilter rest;  // BoundEverything when the window is all
};

// The window of `field`, if the filter has one. Of several ranges (size >= 10
// and size < 20) `single_valued` allows to make one: where rows have several
// values, each range may be met by another value, and only the first is taken.
// Windows that do not meet make the rest BoundNothing.
std::optional<FilterWindow> SplitWindow(const BoundFilter& filter, size_t field,
                                        bool single_valued);

}  // namespace sextant
