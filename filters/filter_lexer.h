// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

struct FilterToken {
  enum class Kind {
    kEnd,
    kWord,     // a name or a word of the language
    kName,     // between backticks: always a name
    kText,     // between quotes
    kInteger,  // digits, perhaps a sign
    kFloat,
    kSymbol,  // ( ) , = == != < <= > >=
  };
  Kind kind = Kind::kEnd;
  size_t column = 1;  // from 1, in characters
  // Of kText and kName without quotes and escapes, of numbers without
  // underscores, else as it stands.
  std::string text;
};

// The error of ParseFilter at a column.
absl::Status FilterTextError(size_t column, absl::string_view problem);
// The path of such an error, and of the filter parsed there.
std::string FilterTextPath(size_t column);

// Ends with a kEnd.
absl::StatusOr<std::vector<FilterToken>> LexFilter(absl::string_view text);

// True when `name` is one word to the lexer; else it needs backticks.
bool IsFilterWord(absl::string_view name);

}  // namespace sextant
