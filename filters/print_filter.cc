// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

#include "filters/filter_lexer.h"
#include "filters/filter_text.h"
#include "filters/filter_words.h"

namespace sextant {
namespace {

std::string Quoted(absl::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      result.push_back('\\');
      result.push_back(c);
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
      absl::StrAppendFormat(&result, "\\u%04x", static_cast<uint8_t>(c));
    } else {
      result.push_back(c);
    }
  }
  result.push_back(quote);
  return result;
}

std::string Name(absl::string_view field) {
  return IsFilterWord(field) && !IsReservedFilterWord(field)
             ? std::string(field)
             : Quoted(field, '`');
}

// The shortest text of the same double, and never that of an integer.
std::string Float(double value) {
  char buffer[32];
  char* const end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  std::string text(buffer, end);
  if (text.find_first_not_of("-0123456789") == std::string::npos) {
    text += ".0";
  }
  return text;
}

std::string Value(const FilterLiteral& literal) {
  if (const auto* flag = std::get_if<bool>(&literal)) {
    return *flag ? "true" : "false";
  }
  if (const auto* integer = std::get_if<int64_t>(&literal)) {
    return absl::StrCat(*integer);
  }
  if (const auto* value = std::get_if<double>(&literal)) {
    return Float(*value);
  }
  return Quoted(*std::get_if<std::string>(&literal), '"');
}

std::string Values(const std::vector<FilterLiteral>& values) {
  std::string text;
  for (const FilterLiteral& value : values) {
    absl::StrAppend(&text, text.empty() ? "(" : ", ", Value(value));
  }
  return text.empty() ? "()" : text + ")";
}

std::string IdText(const std::variant<uint64_t, std::string>& id) {
  const auto* number = std::get_if<uint64_t>(&id);
  return number != nullptr ? absl::StrCat(*number)
                           : Quoted(*std::get_if<std::string>(&id), '"');
}

// In parentheses when it is an and or an or of several parts.
std::string Operand(const Filter& filter);

template <typename Parts>
std::string Joined(const Parts& parts, absl::string_view word,
                   absl::string_view of_none) {
  if (parts.size() == 1) {
    return ToString(parts.front());
  }
  return parts.empty()
             ? std::string(of_none)
             : absl::StrJoin(parts, word,
                             [](std::string* text, const Filter& part) {
                               absl::StrAppend(text, Operand(part));
                             });
}

struct Printer {
  std::string operator()(const FilterAnd& node) const {
    return Joined(node.parts, " and ", "true");
  }
  std::string operator()(const FilterOr& node) const {
    return Joined(node.parts, " or ", "false");
  }
  std::string operator()(const FilterNot& node) const {
    return absl::StrCat(
        "not ", node.part.empty() ? "true" : Operand(node.part.front()));
  }
  std::string operator()(const FilterIn& node) const {
    if (node.all) {
      return absl::StrCat(Name(node.field), " contains all ",
                          Values(node.values));
    }
    return node.values.size() == 1
               ? absl::StrCat(Name(node.field), " = ",
                              Value(node.values.front()))
               : absl::StrCat(Name(node.field), " in ", Values(node.values));
  }
  std::string operator()(const FilterRange& node) const {
    const absl::string_view open = node.low_open ? "" : "=";
    const std::string high = node.high.has_value()
                                 ? absl::StrCat(" <", node.high_open ? "" : "=",
                                                " ", Value(*node.high))
                                 : "";
    if (!node.low.has_value()) {
      return high.empty() ? (*this)(FilterExists{node.field})
                          : absl::StrCat(Name(node.field), high);
    }
    return high.empty() ? absl::StrCat(Name(node.field), " >", open, " ",
                                       Value(*node.low))
                        : absl::StrCat(Value(*node.low), " <", open, " ",
                                       Name(node.field), high);
  }
  std::string operator()(const FilterPrefix& node) const {
    return absl::StrCat(Name(node.field), " starts with ",
                        Quoted(node.prefix, '"'));
  }
  std::string operator()(const FilterExists& node) const {
    return absl::StrCat("exists(", Name(node.field), ")");
  }
  std::string operator()(const FilterIds& node) const {
    if (node.ids.size() == 1) {
      return absl::StrCat("id = ", IdText(node.ids.front()));
    }
    return absl::StrCat("id in (",
                        absl::StrJoin(node.ids, ", ",
                                      [](std::string* text, const auto& id) {
                                        absl::StrAppend(text, IdText(id));
                                      }),
                        ")");
  }
};

std::string Operand(const Filter& filter) {
  const auto parts_of = [](const auto& node) { return node.parts.size(); };
  const auto* conjunction = std::get_if<FilterAnd>(&filter.node);
  const auto* disjunction = std::get_if<FilterOr>(&filter.node);
  const size_t parts = conjunction != nullptr   ? parts_of(*conjunction)
                       : disjunction != nullptr ? parts_of(*disjunction)
                                                : 0;
  if (parts == 1) {
    return Operand(conjunction != nullptr ? conjunction->parts.front()
                                          : disjunction->parts.front());
  }
  return parts == 0 ? ToString(filter)
                    : absl::StrCat("(", ToString(filter), ")");
}

}  // namespace

bool IsReservedFilterWord(absl::string_view word) {
  for (const absl::string_view reserved :
       {"and", "or", "not", "true", "false", "id", "exists"}) {
    if (absl::EqualsIgnoreCase(word, reserved)) {
      return true;
    }
  }
  return false;
}

std::string ToString(const Filter& filter) {
  return std::visit(Printer{}, filter.node);
}

}  // namespace sextant
