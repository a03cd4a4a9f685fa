// SPDX-License-Identifier: Apache-2.0
#include "index/text/analyzer.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "index/text/word_segmenter.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

// "term@position" for each token.
std::vector<std::string> Analyzed(const AnalyzerSpec& spec,
                                  absl::string_view text) {
  const auto analyzer = Analyzer::Create(spec);
  EXPECT_TRUE(analyzer.ok()) << analyzer.status().message();
  TokenList tokens;
  EXPECT_TRUE((*analyzer)->Analyze(text, tokens).ok());
  std::vector<std::string> shown;
  for (size_t i = 0; i < tokens.size(); ++i) {
    shown.push_back(absl::StrCat(tokens.term(i), "@", tokens.position(i)));
    EXPECT_LE(tokens[i].begin, tokens[i].end);
    EXPECT_LE(tokens[i].end, text.size());
  }
  return shown;
}

TEST(AnalyzerTest, Tables) {
  struct Case {
    const char* name;
    AnalyzerSpec spec;
    std::string text;
    std::vector<std::string> tokens;
  };
  const Case cases[] = {
      {"words",
       {},
       "The quick, brown fox!",
       {"the@0", "quick@1", "brown@2", "fox@3"}},
      {"numbers",
       {},
       "v1.2 costs 1,000.5 can't e.g. x_y",
       {"v1.2@0", "costs@1", "1,000.5@2", "can't@3", "e.g@4", "x_y@5"}},
      {"nothing", {}, " ... -- !? ", {}},
      {"case and forms",
       {},
       "ＦＵＬＬ ﬁne STRASSE straße",
       {"full@0", "fine@1", "strasse@2", "strasse@3"}},
      {"accents",
       {},
       "Crème brûlée naïve Øre ΆΛΦΑ",
       {"creme@0", "brulee@1", "naive@2", "ore@3", "αλφα@4"}},
      {"accents kept", {.fold_accents = false}, "Crème", {"crème@0"}},
      {"Cyrillic keeps its letters", {}, "Йод", {"йод@0"}},
      {"Chinese", {}, "我爱北京天安门", {"我@0", "爱@1", "北京@2", "天安门@3"}},
      {"Japanese keeps its marks", {}, "がぎ", {"が@0", "ぎ@1"}},
      {"Thai", {}, "สวัสดีชาวโลก", {"สวัสดี@0", "ชาว@1", "โลก@2"}},
      {"stemming",
       {.language = "english"},
       "running runs ran connections",
       {"run@0", "run@1", "ran@2", "connect@3"}},
      {"stems by code", {.language = "de"}, "Häuser", {"haus@0"}},
      {"stop words",
       {.stop_words = {"_english_"}},
       "The cat and the hat",
       {"cat@1", "hat@4"}},
      {"own stop words", {.stop_words = {"CAT"}}, "the cat", {"the@0"}},
      {"keyword",
       {.kind = AnalyzerKind::kKeyword},
       "New  York, É",
       {"new  york, e@0"}},
      {"grams",
       {.kind = AnalyzerKind::kNgram, .min_gram = 2, .max_gram = 3},
       "Abcd e",
       {"ab@0", "abc@1", "bc@2", "bcd@3", "cd@4"}},
      {"edge grams",
       {.kind = AnalyzerKind::kEdgeNgram, .min_gram = 1, .max_gram = 3},
       "Äbcd ef",
       {"a@0", "ab@1", "abc@2", "e@3", "ef@4"}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Analyzed(c.spec, c.text), c.tokens) << c.name;
  }
}

TEST(AnalyzerTest, OffsetsAreOfTheOriginalText) {
  const auto analyzer = Analyzer::Create({.language = "en"});
  ASSERT_TRUE(analyzer.ok());
  const std::string text = "Große  Dogs";
  TokenList tokens;
  ASSERT_TRUE((*analyzer)->Analyze(text, tokens).ok());
  ASSERT_EQ(tokens.size(), 2);
  EXPECT_EQ(text.substr(tokens[0].begin, tokens[0].end - tokens[0].begin),
            "Große");
  EXPECT_EQ(text.substr(tokens[1].begin, tokens[1].end - tokens[1].begin),
            "Dogs");
  EXPECT_EQ(tokens[1].term, "dog");
}

TEST(AnalyzerTest, PrefixesAreFoldedButNotStemmed) {
  const auto analyzer =
      Analyzer::Create({.language = "en", .stop_words = {"_english_"}});
  ASSERT_TRUE(analyzer.ok());
  TokenList tokens;
  ASSERT_TRUE((*analyzer)->AnalyzePrefix("Thé", tokens).ok());
  ASSERT_EQ(tokens.size(), 1);
  EXPECT_EQ(tokens.term(0), "the");
}

TEST(AnalyzerTest, LongWordsAreSplitBetweenCharacters) {
  const auto analyzer = Analyzer::Create({.fold_accents = false});
  ASSERT_TRUE(analyzer.ok());
  std::string text;
  for (int i = 0; i < 1 << 20; ++i) {
    text += "é";
  }
  TokenList tokens;
  ASSERT_TRUE((*analyzer)->Analyze(text, tokens).ok());
  ASSERT_EQ(tokens.size(), ((1 << 21) + 253) / 254);
  EXPECT_EQ(tokens.term(0).size(), 254);  // no half character
  EXPECT_EQ(tokens[1].begin, 254);
}

TEST(AnalyzerTest, LongKeywordsAreCut) {
  const auto analyzer = Analyzer::Create({.kind = AnalyzerKind::kKeyword});
  ASSERT_TRUE(analyzer.ok());
  TokenList tokens;
  ASSERT_TRUE((*analyzer)->Analyze(std::string(1 << 20, 'A'), tokens).ok());
  ASSERT_EQ(tokens.size(), 1);
  EXPECT_EQ(tokens.term(0), std::string(kKeywordBytesMax, 'a'));
}

TEST(AnalyzerTest, BrokenUtf8NamesTheByte) {
  const auto analyzer = Analyzer::Create({});
  ASSERT_TRUE(analyzer.ok());
  TokenList tokens;
  EXPECT_THAT((*analyzer)->Analyze("abc \xC3( x", tokens),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("not valid UTF-8 at byte 4")));
}

TEST(AnalyzerTest, RefusesWhatItCannotDo) {
  struct Case {
    AnalyzerSpec spec;
    const char* message;
  };
  const Case cases[] = {
      {{.language = "klingon"}, "f.language: no stemmer for 'klingon'"},
      {{.language = std::string("en\0x", 4)}, "f.language"},
      {{.kind = AnalyzerKind::kKeyword, .language = "en"},
       "f.language: is for the standard"},
      {{.kind = AnalyzerKind::kNgram, .min_gram = 0}, "f.min_gram"},
      {{.kind = AnalyzerKind::kNgram, .min_gram = 3, .max_gram = 2},
       "f.min_gram"},
      {{.kind = AnalyzerKind::kEdgeNgram, .max_gram = 33}, "f.min_gram"},
      {{.stop_words = {"\xFF"}}, "f.stop_words[0]"},
      {{.stop_words = std::vector<std::string>(kStopWordsMax + 1, "x")},
       "more than 10000 words"},
      {{.kind = static_cast<AnalyzerKind>(9)}, "f.kind: is unknown"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(
        ValidateAnalyzer(c.spec, "f"),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)));
  }
}

TEST(AnalyzerTest, WordsOfAsciiAreThoseOfIcu) {
  std::mt19937_64 random(test::TestSeed());
  auto segmenter = WordSegmenter::Create();
  ASSERT_TRUE(segmenter.ok());
  const std::vector<std::string> pieces = {"a",
                                           "Zb",
                                           "1",
                                           "22",
                                           "_",
                                           ".",
                                           ",",
                                           ";",
                                           ":",
                                           "'",
                                           "\"",
                                           "-",
                                           "/",
                                           "@",
                                           "#",
                                           "\t",
                                           "\n",
                                           "\r",
                                           " ",
                                           "  ",
                                           "\x01",
                                           "\x0b",
                                           "\x0c",
                                           "é",
                                           "\xCC\x81",
                                           "中",
                                           "ก",
                                           "かな",
                                           "カ",
                                           "א",
                                           "\xE2\x80\x8D",
                                           "\xC2\xAD",
                                           "\xE2\x80\xA8",
                                           "😀",
                                           "\xC2\xA0",
                                           "\xE3\x80\x80",
                                           "٣"};
  for (int i = 0; i < 30'000; ++i) {
    std::string text;
    const bool ascii = i % 2 == 0;
    for (auto n = random() % 12; n > 0; --n) {
      text += pieces[random() % (ascii ? 23 : pieces.size())];
    }
    std::vector<std::pair<uint32_t, uint32_t>> words[2];
    for (const bool icu_alone : {false, true}) {
      ASSERT_TRUE((*segmenter)
                      ->Visit(
                          text,
                          [&](uint32_t begin, uint32_t end) {
                            words[icu_alone ? 1 : 0].emplace_back(begin, end);
                            return true;
                          },
                          icu_alone)
                      .ok());
    }
    ASSERT_EQ(words[0], words[1]) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace sextant
