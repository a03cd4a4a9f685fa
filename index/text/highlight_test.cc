// SPDX-License-Identifier: Apache-2.0
#include "index/text/highlight.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/status_matchers.h"
#include "index/text/text_query_parser.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

// The fragments with their matches in brackets.
std::string Shown(absl::string_view query, const std::string& text,
                  const HighlightOptions& options,
                  const AnalyzerSpec& spec = {}) {
  const auto analyzer = Analyzer::Create(spec);
  CHECK(analyzer.ok());
  const auto parsed = ParseTextQuery(query);
  CHECK(parsed.ok());
  TextSearchField field;
  field.name = "body";
  field.analyzer = analyzer->get();
  const auto bound = BoundTextQuery::Bind(*parsed, {&field, 1});
  CHECK(bound.ok()) << bound.status().message();
  const auto highlights = HighlightText(*bound, 0, text, options);
  CHECK(highlights.ok()) << highlights.status().message();
  std::string shown;
  for (const Highlight& highlight : *highlights) {
    absl::StrAppend(&shown, shown.empty() ? "" : " | ");
    uint32_t at = highlight.fragment.begin;
    for (const TextRange& match : highlight.matches) {
      EXPECT_LE(at, match.begin);
      EXPECT_LT(match.begin, match.end);
      absl::StrAppend(&shown, text.substr(at, match.begin - at), "[",
                      text.substr(match.begin, match.end - match.begin), "]");
      at = match.end;
    }
    absl::StrAppend(&shown, text.substr(at, highlight.fragment.end - at));
  }
  return shown;
}

TEST(HighlightTest, Table) {
  struct Case {
    const char* query;
    std::string text;
    size_t fragment_bytes;
    std::string shown;
  };
  const Case cases[] = {
      {"fox dog", "The quick fox, the lazy dog.", 0,
       "The quick [fox], the lazy [dog]."},
      {"cat", "The quick fox.", 0, ""},
      {"\"quick fox\"", "A quick dog, a quick fox.", 0,
       "A quick dog, a [quick] [fox]."},
      {"qui*", "Quiet, quick.", 0, "[Quiet], [quick]."},
      {"fox -dog", "fox dog", 0, "[fox] dog"},
      {"GROSSE", "Das große Haus", 0, "Das [große] Haus"},
      {"fox dog", "fox a b c d e f g h i j k l m n o dog x fox y z", 13,
       "o [dog] x [fox] y"},
      {"fox", "one two three fox four five six", 18, "two three [fox] four"},
      {"fox", "one fox", 7, "one [fox]"},
      {"incomprehensibilities", "x incomprehensibilities y", 5, "incom"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Shown(c.query, c.text, {.fragment_bytes = c.fragment_bytes}),
              c.shown)
        << c.query;
  }
}

TEST(HighlightTest, StemsAndGramsPointIntoTheText) {
  EXPECT_EQ(Shown("connect", "Connections, connected!", {.fragment_bytes = 0},
                  {.language = "english"}),
            "[Connections], [connected]!");
  EXPECT_EQ(Shown("bcd", "abcde", {.fragment_bytes = 0},
                  {.kind = AnalyzerKind::kNgram, .min_gram = 3}),
            "a[bcd]e");
}

TEST(HighlightTest, SeveralFragmentsLieApartBestFirst) {
  const HighlightOptions options = {.fragment_bytes = 13, .fragments_max = 3};
  EXPECT_EQ(
      Shown("fox dog", "fox a b c d e f g h i j k l dog x fox y z", options),
      "l [dog] x [fox] y | [fox] a b c d e");
  // Each word is in one fragment at most.
  EXPECT_EQ(
      Shown("a", "a a a a a a a a", {.fragment_bytes = 3, .fragments_max = 9}),
      "[a] [a] | [a] [a] | [a] [a] | [a] [a]");
  EXPECT_EQ(Shown("fox", "one fox", {.fragment_bytes = 0, .fragments_max = 9}),
            "one [fox]");
}

TEST(HighlightTest, ManyMatchesAreCut) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "fox ";
  }
  const std::string shown =
      Shown("fox", text, {.fragment_bytes = 0, .matches_max = 3});
  EXPECT_THAT(shown, testing::StartsWith("[fox] [fox] [fox] fox"));
}

TEST(HighlightTest, RefusesBrokenText) {
  const auto analyzer = Analyzer::Create({});
  ASSERT_TRUE(analyzer.ok());
  TextSearchField field;
  field.analyzer = analyzer->get();
  TextQuery query;
  query.text = "a";
  const auto bound = BoundTextQuery::Bind(query, {&field, 1});
  ASSERT_TRUE(bound.ok());
  EXPECT_THAT(
      HighlightText(*bound, 0, "\xFF", {}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at byte 0")));
  EXPECT_THAT(
      HighlightText(*bound, 0, "a", {.fragment_bytes = 1 << 20}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("highlight.fragment_bytes")));
}

}  // namespace
}  // namespace sextant
