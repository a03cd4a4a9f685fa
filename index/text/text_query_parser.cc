// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_query_parser.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"

namespace sextant {
namespace {

constexpr absl::string_view kColumnPath = "text query, column ";
constexpr absl::string_view kSpaces = " \t\n\r";

bool IsSpace(char c) {
  return absl::StrContains(kSpaces, c);
}

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         c == '.' || c == '-';
}

class QueryParser {
 public:
  explicit QueryParser(absl::string_view text) : text_(text) {}

  absl::StatusOr<TextQuery> Run() {
    TextQuery query;
    RETURN_IF_ERROR(Clauses("", 1, &query));
    if (at_ < text_.size()) {
      return Error("a ')' without its '('");
    }
    const bool is_one = query.must.empty() && query.must_not.empty() &&
                        query.should.size() == 1;
    if (is_one) {
      TextQuery only = std::move(query.should.front());
      return only;
    }
    return query;
  }

 private:
  absl::Status ErrorAt(size_t at, absl::string_view problem) const {
    const absl::string_view before = text_.substr(0, at);
    const auto column =
        1 + std::count_if(before.begin(), before.end(), BeginsUtf8Character);
    return InvalidField(absl::StrCat(kColumnPath, column), problem);
  }
  absl::Status Error(absl::string_view problem) const {
    return ErrorAt(at_, problem);
  }

  bool AtEnd() const { return at_ == text_.size(); }
  bool Sees(char c) const { return !AtEnd() && text_[at_] == c; }
  bool Take(char c) {
    if (!Sees(c)) {
      return false;
    }
    ++at_;
    return true;
  }

  // Up to the end or a ')'.
  absl::Status Clauses(absl::string_view field, uint32_t depth,
                       TextQuery* query) {
    query->kind = TextQueryKind::kBool;
    const size_t begin = at_;
    while (true) {
      while (!AtEnd() && IsSpace(text_[at_])) {
        ++at_;
      }
      if (AtEnd() || Sees(')')) {
        break;
      }
      std::vector<TextQuery>* parts = &query->should;
      if (Take('+')) {
        parts = &query->must;
      } else if (Take('-')) {
        parts = &query->must_not;
      }
      TextQuery clause;
      RETURN_IF_ERROR(Clause(field, depth, &clause));
      if (++clauses_ > kTextQueryTermsMax) {
        return Error(absl::StrCat("more than ", kTextQueryTermsMax, " parts"));
      }
      parts->push_back(std::move(clause));
      if (!AtEnd() && !IsSpace(text_[at_]) && !Sees(')')) {
        return Error("expected a space");
      }
    }
    if (query->must.empty() && query->should.empty()) {
      return ErrorAt(begin, query->must_not.empty()
                                ? "expected a word"
                                : "nothing but words that must not match");
    }
    return absl::OkStatus();
  }

  absl::Status Clause(absl::string_view field, uint32_t depth,
                      TextQuery* query) {
    const absl::string_view name = TakeField();
    if (!name.empty()) {
      field = name;
    }
    if (Sees('(')) {
      RETURN_IF_ERROR(Group(field, depth, query));
    } else if (Sees('"')) {
      RETURN_IF_ERROR(Phrase(query));
      query->field = std::string(field);
    } else {
      RETURN_IF_ERROR(Word(query));
      query->field = std::string(field);
    }
    if (Take('^')) {
      return Boost(query);
    }
    return absl::OkStatus();
  }

  // "name:" in front of something; else empty. A name that begins with '-' has
  // to come from elsewhere: here that is a sign.
  absl::string_view TakeField() {
    size_t end = at_;
    if (Sees('-')) {
      return "";
    }
    while (end < text_.size() && IsNameCharacter(text_[end])) {
      ++end;
    }
    if (end == at_ || end + 1 >= text_.size() || text_[end] != ':' ||
        IsSpace(text_[end + 1])) {
      return "";
    }
    const absl::string_view name = text_.substr(at_, end - at_);
    at_ = end + 1;
    return name;
  }

  absl::Status Group(absl::string_view field, uint32_t depth,
                     TextQuery* query) {
    const size_t begin = at_;
    if (depth == kTextQueryDepthMax) {
      return Error(
          absl::StrCat("nested deeper than ", kTextQueryDepthMax, " levels"));
    }
    ++at_;
    RETURN_IF_ERROR(Clauses(field, depth + 1, query));
    if (!Take(')')) {
      return ErrorAt(begin, "a '(' without its ')'");
    }
    if (Take('~')) {
      const size_t number = at_;
      RETURN_IF_ERROR(Count(static_cast<uint32_t>(kTextQueryTermsMax),
                            &query->minimum_should_match));
      if (query->minimum_should_match > query->should.size()) {
        return ErrorAt(number,
                       absl::StrCat("more than the ", query->should.size(),
                                    " words that may match"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Phrase(TextQuery* query) {
    const size_t begin = at_++;
    query->kind = TextQueryKind::kPhrase;
    while (!Take('"')) {
      if (AtEnd()) {
        return ErrorAt(begin, "a '\"' without its end");
      }
      RETURN_IF_ERROR(TakeCharacter(&query->text));
    }
    if (query->text.find_first_not_of(kSpaces.data()) == std::string::npos) {
      return ErrorAt(begin, "an empty phrase");
    }
    return Take('~') ? Count(kSlopMax, &query->slop) : absl::OkStatus();
  }

  // One byte, or the one behind a backslash.
  absl::Status TakeCharacter(std::string* out) {
    if (Take('\\') && AtEnd()) {
      return Error("expected a character after '\\'");
    }
    out->push_back(text_[at_++]);
    return absl::OkStatus();
  }

  absl::Status Word(TextQuery* query) {
    constexpr absl::string_view kEnds = " \t\n\r()\"^~*";
    const size_t begin = at_;
    query->kind = TextQueryKind::kTerm;
    while (!AtEnd() && !absl::StrContains(kEnds, text_[at_])) {
      RETURN_IF_ERROR(TakeCharacter(&query->text));
    }
    if (query->text.empty()) {
      return ErrorAt(begin, "expected a word");
    }
    if (Take('*')) {
      query->kind = TextQueryKind::kPrefix;
    }
    return absl::OkStatus();
  }

  absl::Status Count(uint32_t largest, uint32_t* count) {
    const size_t begin = at_;
    while (!AtEnd() &&
           absl::ascii_isdigit(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    }
    if (!absl::SimpleAtoi(text_.substr(begin, at_ - begin), count) ||
        *count > largest) {
      return ErrorAt(begin,
                     absl::StrCat("expected a number from 0 to ", largest));
    }
    return absl::OkStatus();
  }

  absl::Status Boost(TextQuery* query) {
    const size_t begin = at_;
    while (!AtEnd() && absl::StrContains("0123456789.eE+-", text_[at_])) {
      ++at_;
    }
    if (!absl::SimpleAtof(text_.substr(begin, at_ - begin), &query->boost) ||
        !(query->boost >= 0 && query->boost <= kBoostMax)) {
      return ErrorAt(begin,
                     absl::StrCat("expected a boost from 0 to ", kBoostMax));
    }
    return absl::OkStatus();
  }

  absl::string_view text_;
  size_t at_ = 0;
  size_t clauses_ = 0;
};

// From 1; 0 when the message names none.
size_t ColumnIn(absl::string_view message) {
  const size_t found = message.find(kColumnPath);
  if (found == absl::string_view::npos) {
    return 0;
  }
  const absl::string_view number = message.substr(found + kColumnPath.size());
  const size_t size =
      std::min(number.find_first_not_of("0123456789"), number.size());
  uint64_t column = 0;
  return absl::SimpleAtoi(number.substr(0, size), &column)
             ? static_cast<size_t>(column)
             : 0;
}

}  // namespace

absl::StatusOr<TextQuery> ParseTextQuery(absl::string_view text) {
  if (text.size() > kTextQueryBytesMax) {
    return InvalidField("text query",
                        absl::StrCat("has ", text.size(), " bytes, at most ",
                                     kTextQueryBytesMax));
  }
  if (!IsValidUtf8(text)) {
    return InvalidField("text query", "is not valid UTF-8");
  }
  return QueryParser(text).Run();
}

std::string TextQueryErrorCaret(absl::string_view text,
                                absl::string_view message) {
  const size_t column = ColumnIn(message);
  size_t seen = 0;
  size_t place = 0;
  for (; place < text.size(); ++place) {
    seen += BeginsUtf8Character(text[place]) ? 1U : 0U;
    if (seen == column) {
      break;
    }
  }
  if (column == 0 || seen + 1 < column) {
    return "";  // no column, or another text's message
  }
  const size_t line_end = std::min(text.find('\n', place), text.size());
  const absl::string_view before = text.substr(0, place);
  const size_t newline = before.rfind('\n');
  const size_t line_begin =
      newline == absl::string_view::npos ? 0 : newline + 1;
  const absl::string_view in_line = before.substr(line_begin);
  const auto spaces =
      std::count_if(in_line.begin(), in_line.end(), BeginsUtf8Character);
  std::string line(text.substr(line_begin, line_end - line_begin));
  // The caret stands under its character only where a tab is as wide as that.
  std::replace(line.begin(), line.end(), '\t', ' ');
  return absl::StrCat(line, "\n", std::string(static_cast<size_t>(spaces), ' '),
                      "^\n");
}

}  // namespace sextant
