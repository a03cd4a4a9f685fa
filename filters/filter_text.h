// SPDX-License-Identifier: Apache-2.0
//
// Filters as text: section in ("graphics", "video") and size < 1_000_000 and
// not essential. docs/reference/filters.md is the grammar.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "filters/filter.h"

namespace sextant {

// InvalidField with the path "filter text, column N" (from 1, in characters)
// and what was expected there. The parts of the filter get such paths too, so
// that the errors of BindFilter name a column.
absl::StatusOr<Filter> ParseFilter(absl::string_view text);

// Text that ParseFilter makes the same tree of. An and or an or of one part
// prints as that part, a range without ends as exists().
std::string ToString(const Filter& filter);

// For people: the line of `text` that an error speaks of and a caret under the
// column, each line ended. `message` is the error's, also when it came over the
// network. Empty when the message names no column of a filter text.
std::string FilterErrorCaret(absl::string_view text, absl::string_view message);

}  // namespace sextant
