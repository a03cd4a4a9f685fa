// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/utf8.h"
#include "filters/filter_lexer.h"
#include "filters/filter_text.h"

namespace sextant {
namespace {

// From 1; 0 when the message names none.
size_t ColumnIn(absl::string_view message) {
  const std::string path = FilterTextPath(1);
  const absl::string_view before =
      absl::string_view(path).substr(0, path.size() - 1);
  const size_t found = message.find(before);
  if (found == absl::string_view::npos) {
    return 0;
  }
  const absl::string_view number = message.substr(found + before.size());
  uint64_t column = 0;
  const size_t size =
      std::min(number.find_first_not_of("0123456789"), number.size());
  return absl::SimpleAtoi(number.substr(0, size), &column)
             ? static_cast<size_t>(column)
             : 0;
}

}  // namespace

std::string FilterErrorCaret(absl::string_view text,
                             absl::string_view message) {
  const size_t column = ColumnIn(message);
  if (column == 0) {
    return "";
  }
  size_t line_begin = 0;
  size_t before = 0;  // characters of the line in front of the column
  size_t seen = 1;
  size_t place = 0;
  for (; place < text.size() &&
         (seen < column || !BeginsUtf8Character(text[place]));
       ++place) {
    if (text[place] == '\n') {
      line_begin = place + 1;
      before = 0;
      ++seen;
    } else if (BeginsUtf8Character(text[place])) {
      ++before;
      ++seen;
    }
  }
  if (seen < column) {
    return "";  // another text's message
  }
  const size_t line_end = std::min(text.find('\n', line_begin), text.size());
  std::string line(text.substr(line_begin, line_end - line_begin));
  // The caret stands under its character only where a tab is as wide as that.
  std::replace(line.begin(), line.end(), '\t', ' ');
  return absl::StrCat(line, "\n", std::string(before, ' '), "^\n");
}

}  // namespace sextant
