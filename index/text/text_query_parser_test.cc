// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_query_parser.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

TEST(TextQueryParserTest, ReadsEveryForm) {
  const auto query = ParseTextQuery(
      R"(linux "file system"~2 +kernel -windows pref* title:word^2 )"
      R"(body:(a b c)~2^0.5 wi-fi \+x)");
  ASSERT_TRUE(query.ok()) << query.status().message();
  ASSERT_EQ(query->kind, TextQueryKind::kBool);
  ASSERT_EQ(query->must.size(), 1);
  EXPECT_EQ(query->must[0].text, "kernel");
  ASSERT_EQ(query->must_not.size(), 1);
  EXPECT_EQ(query->must_not[0].text, "windows");
  ASSERT_EQ(query->should.size(), 7);
  EXPECT_EQ(query->should[0].kind, TextQueryKind::kTerm);
  EXPECT_EQ(query->should[1].kind, TextQueryKind::kPhrase);
  EXPECT_EQ(query->should[1].slop, 2);
  EXPECT_EQ(query->should[1].text, "file system");
  EXPECT_EQ(query->should[2].kind, TextQueryKind::kPrefix);
  EXPECT_EQ(query->should[2].text, "pref");
  EXPECT_EQ(query->should[3].field, "title");
  EXPECT_EQ(query->should[3].boost, 2);
  const TextQuery& group = query->should[4];
  EXPECT_EQ(group.minimum_should_match, 2);
  EXPECT_EQ(group.boost, 0.5F);
  ASSERT_EQ(group.should.size(), 3);
  EXPECT_EQ(group.should[1].field, "body");
  EXPECT_EQ(query->should[5].text, "wi-fi");
  EXPECT_EQ(query->should[6].text, "+x");
}

TEST(TextQueryParserTest, ErrorsNameTheColumn) {
  struct Case {
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"", "text query, column 1: expected a word"},
      {"  ", "column 1: expected a word"},
      {"a \"b", "column 3: a '\"' without its end"},
      {"ä (b", "column 3: a '(' without its ')'"},
      {"a)", "column 2: a ')' without its '('"},
      {"a^x", "column 3: expected a boost"},
      {"a^-1", "column 3: expected a boost"},
      {"a^nan", "column 3: expected a boost"},
      {"a^1e9", "column 3: expected a boost"},
      {"\"a b\"~", "column 7: expected a number from 0 to 64"},
      {"\"a b\"~99999999999", "column 7: expected a number"},
      {"(a b)~3", "column 7: more than the 2 words"},
      {"a*b", "column 3: expected a space"},
      {"-a", "column 1: nothing but words that must not match"},
      {"a ()", "column 4: expected a word"},
      {"+ a", "column 2: expected a word"},
      {"a \"\"", "column 3: an empty phrase"},
      {"a\\", "column 3: expected a character"},
      {"a\"b\"", "column 2: expected a space"},
      {"a --t:(b)", "column 7: expected a space"},
      {std::string(20, '(') + "a", "column 16: nested deeper than 16"},
      {"\xFF", "not valid UTF-8"},
      {std::string(kTextQueryBytesMax + 1, 'a'), "65537 bytes, at most 65536"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(
        ParseTextQuery(c.text).status(),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)))
        << c.text.substr(0, 40);
  }
  std::string many;
  for (int i = 0; i < 2000; ++i) {
    many += "a ";
  }
  EXPECT_THAT(ParseTextQuery(many).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("more than 1024 parts")));
}

TEST(TextQueryParserTest, CaretsStandUnderTheColumn) {
  const std::string text = "größe\n(b";
  const auto query = ParseTextQuery(text);
  EXPECT_EQ(TextQueryErrorCaret(text, query.status().message()), "(b\n^\n");
  EXPECT_EQ(TextQueryErrorCaret("é a^x", "text query, column 5: x"),
            "é a^x\n    ^\n");
  EXPECT_EQ(TextQueryErrorCaret("a", "something else"), "");
  EXPECT_EQ(TextQueryErrorCaret("a", "text query, column 50: x"), "");
}

TEST(TextQueryParserTest, WhatIsPrintedReadsBack) {
  std::mt19937_64 random(test::TestSeed());
  const std::string pieces[] = {
      "a",  "bc",   " ", " ",  "+",  "-", "\"",  "(",  ")",       "~1",
      "^2", "^0.1", "*", "t:", "\\", "é", "\\*", "~2", "\"x y\"", "(p q r)"};
  int parsed = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (auto n = 1 + random() % 10; n > 0; --n) {
      text += pieces[random() % std::size(pieces)];
    }
    const auto query = ParseTextQuery(text);
    if (!query.ok()) {
      ASSERT_NE(TextQueryErrorCaret(text, query.status().message()), "")
          << text << ": " << query.status().message();
      continue;
    }
    ++parsed;
    ASSERT_TRUE(ValidateTextQuery(*query, "q").ok()) << text;
    const std::string printed = ToString(*query);
    const auto again = ParseTextQuery(printed);
    ASSERT_TRUE(again.ok()) << text << " -> " << printed;
    ASSERT_EQ(*again, *query) << text << " -> " << printed;
  }
  EXPECT_GT(parsed, 1000);
}

}  // namespace
}  // namespace sextant
