// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/cut_off_text.h"

#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"

namespace sextant::cli {
namespace {

using testing::HasSubstr;

TEST(CutOffTextTest, ReadsEveryKind) {
  ASSERT_OK_AND_ASSIGN(const client::CutOff least, ParseCutOff("min:-0.25"));
  EXPECT_EQ(std::get<client::MinScore>(least).score, -0.25);
  ASSERT_OK_AND_ASSIGN(const client::CutOff largest, ParseCutOff("gap"));
  EXPECT_FALSE(std::get<client::ScoreGap>(largest).min_gap.has_value());
  EXPECT_FALSE(std::get<client::ScoreGap>(largest).empty_without_gap);
  ASSERT_OK_AND_ASSIGN(const client::CutOff first,
                       ParseCutOff("gap:size=0.05,ratio=5,n=50,empty"));
  const auto& gap = std::get<client::ScoreGap>(first);
  EXPECT_EQ(gap.min_gap.value_or(0), 0.05);
  EXPECT_EQ(gap.min_ratio.value_or(0), 5);
  EXPECT_EQ(gap.candidates, 50U);
  EXPECT_TRUE(gap.empty_without_gap);
  ASSERT_OK_AND_ASSIGN(const client::CutOff adapter,
                       ParseCutOff("adapter:good"));
  EXPECT_EQ(std::get<client::AdapterCutOff>(adapter).name, "good");
}

TEST(CutOffTextTest, SaysWhatIsWrong) {
  const auto error = [](absl::string_view text) {
    return std::string(ParseCutOff(text).status().message());
  };
  EXPECT_THAT(error("best"), HasSubstr("expected min:SCORE, gap"));
  EXPECT_THAT(error("adapter:"), HasSubstr("or adapter:NAME"));
  EXPECT_THAT(error("min:much"), HasSubstr("'min:much': expected a number"));
  EXPECT_THAT(error("gap:n=-1"), HasSubstr("'n=-1': expected a whole number"));
  EXPECT_THAT(error("gap:wide"), HasSubstr("'wide': expected size=S"));
}

TEST(CutOffTextTest, SaysWhyNothingIsThere) {
  client::CutOffOutcome outcome;
  EXPECT_EQ(NoHitsText(outcome), "no hits");
  outcome.candidates = 10;
  outcome.best_score = 0.31F;
  outcome.nothing_relevant = true;
  EXPECT_THAT(NoHitsText(outcome), HasSubstr("no gap"));
  outcome.least_score = 0.6;
  EXPECT_EQ(NoHitsText(outcome),
            "nothing relevant: the best of 10 points scores 0.31, below 0.6");
}

}  // namespace
}  // namespace sextant::cli
