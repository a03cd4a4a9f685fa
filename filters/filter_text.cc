// SPDX-License-Identifier: Apache-2.0
#include "filters/filter_text.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "filters/filter_lexer.h"
#include "filters/filter_words.h"
#include "filters/limits.h"

namespace sextant {
namespace {

using Kind = FilterToken::Kind;
using Id = std::variant<uint64_t, std::string>;

constexpr size_t kShownBytesMax = 40;

// Recursive descent; one function a rule of docs/reference/filters.md.
class Parser {
 public:
  explicit Parser(std::vector<FilterToken> tokens)
      : tokens_(std::move(tokens)) {}

  absl::StatusOr<Filter> Run() {
    ASSIGN_OR_RETURN(Filter filter, Or());
    if (Here().kind != Kind::kEnd) {
      return Expected("'and', 'or' or the end");
    }
    return filter;
  }

 private:
  const FilterToken& Here() const { return tokens_[place_]; }
  const FilterToken& After() const {
    return tokens_[std::min(place_ + 1, tokens_.size() - 1)];
  }

  static bool IsWord(const FilterToken& token, absl::string_view word) {
    return token.kind == Kind::kWord &&
           absl::EqualsIgnoreCase(token.text, word);
  }
  static bool IsSymbol(const FilterToken& token, absl::string_view symbol) {
    return token.kind == Kind::kSymbol && token.text == symbol;
  }
  bool TakeWord(absl::string_view word) {
    const bool here = IsWord(Here(), word);
    place_ += here ? 1U : 0U;
    return here;
  }
  bool TakeSymbol(absl::string_view symbol) {
    const bool here = IsSymbol(Here(), symbol);
    place_ += here ? 1U : 0U;
    return here;
  }

  absl::Status Expected(absl::string_view what) const {
    const FilterToken& token = Here();
    const std::string shown = ShownText(token.text, kShownBytesMax);
    const std::string got = token.kind == Kind::kEnd ? "the end"
                            : token.kind == Kind::kText
                                ? absl::StrCat("the text \"", shown, "\"")
                                : absl::StrCat("'", shown, "'");
    return FilterTextError(token.column,
                           absl::StrCat("expected ", what, ", got ", got));
  }
  absl::Status ExpectSymbol(absl::string_view symbol) {
    return TakeSymbol(symbol) ? absl::OkStatus()
                              : Expected(absl::StrCat("'", symbol, "'"));
  }

  template <typename Node>
  static Filter Make(Node node, size_t column) {
    return {std::move(node), FilterTextPath(column)};
  }
  static Filter Negated(Filter filter, size_t column) {
    FilterNot node;
    node.part.push_back(std::move(filter));
    return Make(std::move(node), column);
  }

  absl::StatusOr<Filter> Or() {
    const size_t column = Here().column;
    FilterOr node;
    do {
      ASSIGN_OR_RETURN(Filter part, And());
      node.parts.push_back(std::move(part));
    } while (TakeWord("or"));
    return node.parts.size() == 1 ? std::move(node.parts.front())
                                  : Make(std::move(node), column);
  }

  absl::StatusOr<Filter> And() {
    const size_t column = Here().column;
    FilterAnd node;
    do {
      ASSIGN_OR_RETURN(Filter part, Nested());
      node.parts.push_back(std::move(part));
    } while (TakeWord("and"));
    return node.parts.size() == 1 ? std::move(node.parts.front())
                                  : Make(std::move(node), column);
  }

  // Not, parentheses, or a test: what may hold another of itself.
  absl::StatusOr<Filter> Nested() {
    const size_t column = Here().column;
    if (!IsWord(Here(), "not") && !IsSymbol(Here(), "(")) {
      return Test();
    }
    if (++depth_ > limits::kFilterDepthMax) {
      return FilterTextError(
          column, absl::StrCat("nested deeper than ", limits::kFilterDepthMax,
                               " levels"));
    }
    Filter result;
    if (TakeWord("not")) {
      ASSIGN_OR_RETURN(Filter part, Nested());
      result = Negated(std::move(part), column);
    } else {
      RETURN_IF_ERROR(ExpectSymbol("("));
      ASSIGN_OR_RETURN(result, Or());
      RETURN_IF_ERROR(ExpectSymbol(")"));
    }
    --depth_;
    return result;
  }

  absl::StatusOr<Filter> Test() {
    const size_t column = Here().column;
    if (TakeWord("true")) {
      return Make(FilterAnd{}, column);
    }
    if (TakeWord("false")) {
      return Make(FilterOr{}, column);
    }
    if (IsWord(Here(), "exists") && IsSymbol(After(), "(")) {
      place_ += 2;
      ASSIGN_OR_RETURN(std::string field, FieldName());
      RETURN_IF_ERROR(ExpectSymbol(")"));
      return Make(FilterExists{std::move(field)}, column);
    }
    if (TakeWord("id")) {
      return IdTest(column);
    }
    if (Here().kind == Kind::kInteger || Here().kind == Kind::kFloat ||
        Here().kind == Kind::kText) {
      return RangeFromLeft(column);
    }
    ASSIGN_OR_RETURN(const std::string field, FieldName());
    return FieldTest(field, column);
  }

  absl::StatusOr<std::string> FieldName() {
    const FilterToken& token = Here();
    if (token.kind != Kind::kName &&
        (token.kind != Kind::kWord || IsReservedFilterWord(token.text))) {
      return Expected("the name of a field");
    }
    ++place_;
    return token.text;
  }

  // field ...
  absl::StatusOr<Filter> FieldTest(const std::string& field, size_t column) {
    if (Here().kind == Kind::kSymbol &&
        Here().text.find_first_of("=<>") != std::string::npos) {
      return Comparison(field, column);
    }
    if (TakeWord("not")) {
      ASSIGN_OR_RETURN(Filter part, WordTest(field, column));
      return Negated(std::move(part), column);
    }
    for (const absl::string_view word :
         {"in", "between", "starts", "prefix", "contains"}) {
      if (IsWord(Here(), word)) {
        return WordTest(field, column);
      }
    }
    return Make(FilterIn{field, {true}}, column);
  }

  absl::StatusOr<Filter> Comparison(const std::string& field, size_t column) {
    const std::string sign = Here().text;
    ++place_;
    ASSIGN_OR_RETURN(FilterLiteral value, Literal());
    if (sign == "=" || sign == "==") {
      return Make(FilterIn{field, {std::move(value)}}, column);
    }
    if (sign == "!=") {
      return Negated(Make(FilterIn{field, {std::move(value)}}, column), column);
    }
    FilterRange range{.field = field};
    SetEnd(sign[0] == '>', sign.size() == 1, std::move(value), &range);
    return Make(std::move(range), column);
  }

  static void SetEnd(bool low, bool open, FilterLiteral value,
                     FilterRange* range) {
    (low ? range->low : range->high) = std::move(value);
    (low ? range->low_open : range->high_open) = open;
  }

  bool IsOrderSign(const FilterToken& token) const {
    return token.kind == Kind::kSymbol &&
           (token.text[0] == '<' || token.text[0] == '>');
  }

  // 10 <= field, 10 <= field < 20, 20 > field >= 10
  absl::StatusOr<Filter> RangeFromLeft(size_t column) {
    ASSIGN_OR_RETURN(FilterLiteral left, Literal());
    if (!IsOrderSign(Here())) {
      return Expected("'<', '<=', '>' or '>=' after a value");
    }
    const std::string sign = Here().text;
    ++place_;
    ASSIGN_OR_RETURN(std::string field, FieldName());
    FilterRange range{.field = std::move(field)};
    SetEnd(sign[0] == '<', sign.size() == 1, std::move(left), &range);
    if (IsOrderSign(Here())) {
      const std::string second = Here().text;
      if (second[0] != sign[0]) {
        return Expected(absl::StrCat("a sign that points like '", sign, "'"));
      }
      ++place_;
      ASSIGN_OR_RETURN(FilterLiteral right, Literal());
      SetEnd(second[0] == '>', second.size() == 1, std::move(right), &range);
    }
    return Make(std::move(range), column);
  }

  // field in (...), field between a and b, ...
  absl::StatusOr<Filter> WordTest(const std::string& field, size_t column) {
    if (TakeWord("in")) {
      return ListTest(field, false, column);
    }
    if (TakeWord("between")) {
      FilterRange range{.field = field};
      ASSIGN_OR_RETURN(range.low, Literal());
      if (!TakeWord("and")) {
        return Expected("'and' and the upper end of 'between'");
      }
      ASSIGN_OR_RETURN(range.high, Literal());
      return Make(std::move(range), column);
    }
    if (TakeWord("starts")) {
      if (!TakeWord("with")) {
        return Expected("'with' after 'starts'");
      }
      return PrefixTest(field, column);
    }
    if (TakeWord("prefix")) {
      return PrefixTest(field, column);
    }
    if (TakeWord("contains")) {
      const bool all = TakeWord("all");
      if (all || TakeWord("any")) {
        return ListTest(field, all, column);
      }
      ASSIGN_OR_RETURN(FilterLiteral value, Literal());
      return Make(FilterIn{field, {std::move(value)}}, column);
    }
    return Expected("'in', 'between', 'starts with' or 'contains'");
  }

  absl::StatusOr<Filter> PrefixTest(const std::string& field, size_t column) {
    if (Here().kind != Kind::kText) {
      return Expected("a text in quotes");
    }
    return Make(FilterPrefix{field, tokens_[place_++].text}, column);
  }

  absl::StatusOr<Filter> ListTest(const std::string& field, bool all,
                                  size_t column) {
    FilterIn node{field, {}, all};
    RETURN_IF_ERROR(List([&]() -> absl::Status {
      ASSIGN_OR_RETURN(FilterLiteral value, Literal());
      node.values.push_back(std::move(value));
      return absl::OkStatus();
    }));
    return Make(std::move(node), column);
  }

  // "(" element, element, ... ")"
  template <typename Element>
  absl::Status List(Element element) {
    RETURN_IF_ERROR(ExpectSymbol("("));
    if (TakeSymbol(")")) {
      return absl::OkStatus();
    }
    do {
      RETURN_IF_ERROR(element());
    } while (TakeSymbol(","));
    return TakeSymbol(")") ? absl::OkStatus() : Expected("',' or ')'");
  }

  absl::StatusOr<Filter> IdTest(size_t column) {
    FilterIds node;
    const auto element = [&]() -> absl::Status {
      ASSIGN_OR_RETURN(Id id, IdLiteral());
      node.ids.push_back(std::move(id));
      return absl::OkStatus();
    };
    bool negated = TakeWord("not");
    if (negated || IsWord(Here(), "in")) {
      if (!TakeWord("in")) {
        return Expected("'in'");
      }
      RETURN_IF_ERROR(List(element));
    } else if (TakeSymbol("!=")) {
      negated = true;
      RETURN_IF_ERROR(element());
    } else if (TakeSymbol("=") || TakeSymbol("==")) {
      RETURN_IF_ERROR(element());
    } else {
      return Expected("'=', '!=', 'in' or 'not in' after 'id'");
    }
    Filter filter = Make(std::move(node), column);
    return negated ? Negated(std::move(filter), column) : std::move(filter);
  }

  absl::StatusOr<Id> IdLiteral() {
    const FilterToken& token = Here();
    if (token.kind == Kind::kText) {
      ++place_;
      return Id(token.text);
    }
    uint64_t number = 0;
    if (token.kind != Kind::kInteger ||
        !absl::SimpleAtoi(token.text, &number)) {
      return Expected("an id: a number from 0 to 2^64 - 1 or a text in quotes");
    }
    ++place_;
    return Id(number);
  }

  absl::StatusOr<FilterLiteral> Literal() {
    const FilterToken& token = Here();
    FilterLiteral literal;
    if (token.kind == Kind::kText) {
      literal = token.text;
    } else if (token.kind == Kind::kInteger) {
      int64_t number = 0;
      if (!absl::SimpleAtoi(token.text, &number)) {
        return Expected(
            "an integer of 64 bits (a float has a fraction or an "
            "exponent)");
      }
      literal = number;
    } else if (token.kind == Kind::kFloat) {
      double number = 0;
      if (!absl::SimpleAtod(token.text, &number) || !std::isfinite(number)) {
        return Expected("a float below 1.8e308");
      }
      literal = number;
    } else if (IsWord(token, "true") || IsWord(token, "false")) {
      literal = IsWord(token, "true");
    } else {
      return Expected("a value: a number, a text in quotes, true or false");
    }
    ++place_;
    return literal;
  }

  std::vector<FilterToken> tokens_;
  size_t place_ = 0;
  size_t depth_ = 0;
};

}  // namespace

absl::StatusOr<Filter> ParseFilter(absl::string_view text) {
  ASSIGN_OR_RETURN(std::vector<FilterToken> tokens, LexFilter(text));
  return Parser(std::move(tokens)).Run();
}

}  // namespace sextant
