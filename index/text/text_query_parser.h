// SPDX-License-Identifier: Apache-2.0
//
// Text queries as one string:
//
//   linux "file system"~2 +kernel -windows pref* title:word^2 (a b c)~2
//
// Clauses stand between spaces; without a sign any may match, "+" must, "-"
// must not. docs/reference/text-queries.md is the grammar.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/text/text_query.h"

namespace sextant {

// InvalidField with the path "text query, column N" (from 1, in characters) and
// what was expected there.
absl::StatusOr<TextQuery> ParseTextQuery(absl::string_view text);

// For people: the line of `text` that an error speaks of and a caret under the
// column, each line ended. `message` is the error's. Empty when it names no
// column of a text query.
std::string TextQueryErrorCaret(absl::string_view text,
                                absl::string_view message);

}  // namespace sextant
