// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "index/text/text_query.h"

namespace sextant {
namespace {

// Characters that mean something to ParseTextQuery.
std::string Escaped(absl::string_view text, absl::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (absl::StrContains(special, c)) {
      escaped.push_back('\\');
    }
    escaped.push_back(c);
  }
  return escaped;
}

std::string EscapedWord(absl::string_view word) {
  return Escaped(word, " \t\n\r()\"^~*\\:+-");
}

std::string Boosted(std::string text, const TextQuery& query) {
  if (query.boost != 1) {
    absl::StrAppend(&text, "^", absl::StrFormat("%.9g", query.boost));
  }
  return text;
}

std::string Clauses(const TextQuery& query);

std::string Clause(const TextQuery& query) {
  const std::string field =
      query.field.empty() ? "" : absl::StrCat(query.field, ":");
  switch (query.kind) {
    case TextQueryKind::kMatch: {
      std::string words;
      for (const absl::string_view word : absl::StrSplit(
               query.text, absl::ByAnyChar(" \t\n\r"), absl::SkipEmpty())) {
        absl::StrAppend(&words, words.empty() ? "" : " ",
                        query.all_tokens ? "+" : "", EscapedWord(word));
      }
      return Boosted(absl::StrCat(field, "(", words, ")"), query);
    }
    case TextQueryKind::kTerm:
      return Boosted(absl::StrCat(field, EscapedWord(query.text)), query);
    case TextQueryKind::kPrefix:
      return Boosted(absl::StrCat(field, EscapedWord(query.text), "*"), query);
    case TextQueryKind::kPhrase: {
      std::string phrase =
          absl::StrCat(field, "\"", Escaped(query.text, "\"\\"), "\"");
      if (query.slop > 0) {
        absl::StrAppend(&phrase, "~", query.slop);
      }
      return Boosted(std::move(phrase), query);
    }
    case TextQueryKind::kBool:
      break;
  }
  std::string group = absl::StrCat("(", Clauses(query), ")");
  if (query.minimum_should_match > 0) {
    absl::StrAppend(&group, "~", query.minimum_should_match);
  }
  return Boosted(std::move(group), query);
}

void AppendClauses(const std::vector<TextQuery>& parts, absl::string_view sign,
                   std::string* text) {
  for (const TextQuery& part : parts) {
    absl::StrAppend(text, text->empty() ? "" : " ", sign, Clause(part));
  }
}

std::string Clauses(const TextQuery& query) {
  std::string text;
  AppendClauses(query.must, "+", &text);
  AppendClauses(query.should, "", &text);
  AppendClauses(query.must_not, "-", &text);
  return text;
}

}  // namespace

std::string ToString(const TextQuery& query) {
  // The parentheses of a whole query go where nothing hangs on them.
  const bool plain = query.kind == TextQueryKind::kBool && query.boost == 1 &&
                     query.minimum_should_match == 0 &&
                     !(query.must.empty() && query.must_not.empty() &&
                       query.should.size() == 1);
  return plain ? Clauses(query) : Clause(query);
}

}  // namespace sextant
