// SPDX-License-Identifier: Apache-2.0
#include "filters/filter_lexer.h"

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "filters/limits.h"

namespace sextant {
namespace {

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<uint8_t>(c));
}

bool StartsWord(char c) {
  return c == '_' || absl::ascii_isalpha(static_cast<uint8_t>(c));
}

bool ContinuesWord(char c) {
  return StartsWord(c) || IsDigit(c) || c == '.' || c == '-';
}

void AppendUtf8(uint32_t code_point, std::string* text) {
  const auto byte = [&](uint32_t value) {
    text->push_back(static_cast<char>(value));
  };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0 | code_point >> 6U);
    byte(0x80 | (code_point & 0x3FU));
  } else {
    byte(0xE0 | code_point >> 12U);
    byte(0x80 | (code_point >> 6U & 0x3FU));
    byte(0x80 | (code_point & 0x3FU));
  }
}

class Lexer {
 public:
  explicit Lexer(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<FilterToken>> Run() {
    std::vector<FilterToken> tokens;
    do {
      ASSIGN_OR_RETURN(FilterToken token, Next());
      tokens.push_back(std::move(token));
    } while (tokens.back().kind != FilterToken::Kind::kEnd);
    return tokens;
  }

 private:
  using Kind = FilterToken::Kind;

  char At(size_t ahead) const {
    return place_ + ahead < text_.size() ? text_[place_ + ahead] : '\0';
  }

  // Counts characters, not bytes.
  void Advance(size_t bytes) {
    for (; bytes > 0; --bytes, ++place_) {
      column_ += BeginsUtf8Character(text_[place_]) ? 1U : 0U;
    }
  }

  std::string Take(size_t bytes) {
    std::string taken(text_.substr(place_, bytes));
    Advance(bytes);
    return taken;
  }

  absl::StatusOr<FilterToken> Next() {
    while (place_ < text_.size() &&
           absl::ascii_isspace(static_cast<uint8_t>(text_[place_]))) {
      Advance(1);
    }
    if (place_ == text_.size()) {
      return FilterToken{Kind::kEnd, column_, ""};
    }
    const char c = At(0);
    const bool is_signed = c == '-' || c == '+';
    if (IsDigit(c) || (is_signed && IsDigit(At(1)))) {
      return Number();
    }
    if (c == '"' || c == '\'') {
      return Quoted(Kind::kText);
    }
    if (c == '`') {
      return Quoted(Kind::kName);
    }
    if (StartsWord(c)) {
      size_t size = 1;
      while (ContinuesWord(At(size))) {
        ++size;
      }
      const size_t column = column_;
      return FilterToken{Kind::kWord, column, Take(size)};
    }
    for (const absl::string_view symbol :
         {"==", "!=", "<=", ">=", "(", ")", ",", "=", "<", ">"}) {
      if (absl::StartsWith(text_.substr(place_), symbol)) {
        const size_t column = column_;
        return FilterToken{Kind::kSymbol, column, Take(symbol.size())};
      }
    }
    return FilterTextError(
        column_, absl::StrCat("expected a field, a value or a sign like ( or "
                              "<=, got '",
                              ShownCharacter(), "'"));
  }

  std::string ShownCharacter() const {
    size_t size = 1;
    while (!BeginsUtf8Character(At(size))) {
      ++size;
    }
    return ShownText(text_.substr(place_, size), size);
  }

  // Digits with single underscores between them; false when there are none.
  bool Digits(std::string* digits) {
    if (!IsDigit(At(0))) {
      return false;
    }
    while (IsDigit(At(0)) || (At(0) == '_' && IsDigit(At(1)))) {
      if (At(0) != '_') {
        digits->push_back(At(0));
      }
      Advance(1);
    }
    return true;
  }

  absl::StatusOr<FilterToken> Number() {
    FilterToken token{Kind::kInteger, column_, ""};
    if (!IsDigit(At(0))) {
      const std::string sign = Take(1);
      token.text = sign == "-" ? sign : "";
    }
    Digits(&token.text);
    if (At(0) == '.' && IsDigit(At(1))) {
      token.kind = Kind::kFloat;
      token.text += Take(1);
      Digits(&token.text);
    }
    const bool is_signed = At(1) == '-' || At(1) == '+';
    if ((At(0) == 'e' || At(0) == 'E') && IsDigit(At(is_signed ? 2 : 1))) {
      token.kind = Kind::kFloat;
      token.text += Take(is_signed ? 2 : 1);
      Digits(&token.text);
    }
    if (ContinuesWord(At(0))) {
      return FilterTextError(
          column_, absl::StrCat("a number ends before '", ShownCharacter(),
                                "'; texts stand between quotes"));
    }
    return token;
  }

  absl::StatusOr<FilterToken> Quoted(Kind kind) {
    FilterToken token{kind, column_, ""};
    const std::string quote = Take(1);
    while (place_ < text_.size() && At(0) != quote[0]) {
      if (At(0) == '\\') {
        RETURN_IF_ERROR(Escape(&token.text));
      } else {
        token.text += Take(1);
      }
    }
    if (place_ == text_.size()) {
      return FilterTextError(
          token.column,
          absl::StrCat("no closing ", quote, " for what is opened here"));
    }
    Advance(1);
    return token;
  }

  absl::Status Escape(std::string* text) {
    const size_t column = column_;
    const char c = At(1);
    switch (c) {
      case 'n':
        text->push_back('\n');
        break;
      case 't':
        text->push_back('\t');
        break;
      case 'r':
        text->push_back('\r');
        break;
      case '\\':
      case '"':
      case '\'':
      case '`':
        text->push_back(c);
        break;
      case 'u':
        return Unicode(text);
      default:
        return FilterTextError(
            column,
            "expected \\n, \\t, \\r, \\\\, \\\", \\', \\` or \\u and four "
            "hexadecimal digits");
    }
    Advance(2);
    return absl::OkStatus();
  }

  absl::Status Unicode(std::string* text) {
    const absl::string_view digits =
        place_ + 6 <= text_.size() ? text_.substr(place_ + 2, 4) : "";
    bool hexadecimal = digits.size() == 4;
    for (const char digit : digits) {
      hexadecimal =
          hexadecimal && absl::ascii_isxdigit(static_cast<uint8_t>(digit));
    }
    uint32_t code_point = 0;
    if (!hexadecimal || !absl::SimpleHexAtoi(digits, &code_point) ||
        (code_point >= 0xD800 && code_point < 0xE000)) {
      return FilterTextError(column_,
                             "expected \\u and four hexadecimal digits of a "
                             "character (no surrogates)");
    }
    AppendUtf8(code_point, text);
    Advance(6);
    return absl::OkStatus();
  }

  absl::string_view text_;
  size_t place_ = 0;
  size_t column_ = 1;
};

}  // namespace

std::string FilterTextPath(size_t column) {
  return absl::StrCat("filter text, column ", column);
}

absl::Status FilterTextError(size_t column, absl::string_view problem) {
  return InvalidField(FilterTextPath(column), problem);
}

absl::StatusOr<std::vector<FilterToken>> LexFilter(absl::string_view text) {
  if (text.size() > limits::kFilterTextBytesMax) {
    return InvalidField(
        "filter text",
        absl::StrCat(text.size(), " bytes long; at most ",
                     limits::kFilterTextBytesMax, " are allowed"));
  }
  if (!IsValidUtf8(text)) {
    return InvalidField("filter text", "is not UTF-8");
  }
  return Lexer(text).Run();
}

bool IsFilterWord(absl::string_view name) {
  if (name.empty() || !StartsWord(name[0])) {
    return false;
  }
  for (const char c : name) {
    if (!ContinuesWord(c)) {
      return false;
    }
  }
  return true;
}

}  // namespace sextant
