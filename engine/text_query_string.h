// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/text/text_query.h"

namespace sextant {

// A text query that a client wrote as one string
// (docs/how-to/hybrid-search.md). InvalidField with `field` as its path, and in
// the message the column and what was expected there.
absl::StatusOr<TextQuery> TextQueryFromString(absl::string_view text,
                                              absl::string_view field);

}  // namespace sextant
