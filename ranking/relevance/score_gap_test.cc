// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/score_gap.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

using testing::DoubleNear;
using testing::Optional;

const std::vector<float> kScores = {0.9F, 0.88F, 0.7F, 0.4F, 0.39F, 0.38F};

TEST(ScoreGapTest, TheLargestGapIsTheCut) {
  const GapCut cut = CutAtGap(kScores, {});
  EXPECT_EQ(cut.kept, 3U);
  EXPECT_THAT(cut.gap, Optional(DoubleNear(0.3, 1e-6)));
}

TEST(ScoreGapTest, OfEqualGapsTheFirst) {
  const std::vector<float> scores = {4, 2, 2, 0};
  EXPECT_EQ(CutAtGap(scores, {}).kept, 1U);
}

TEST(ScoreGapTest, TheFirstGapThatIsGreatEnough) {
  EXPECT_EQ(CutAtGap(kScores, {.min_gap = 0.1}).kept, 2U);
  EXPECT_EQ(CutAtGap(kScores, {.min_gap = 0.25}).kept, 3U);
  // The mean gap is 0.104.
  EXPECT_EQ(CutAtGap(kScores, {.min_ratio = 1.5}).kept, 2U);
  EXPECT_EQ(CutAtGap(kScores, {.min_ratio = 2}).kept, 3U);
  EXPECT_EQ(CutAtGap(kScores, {.min_gap = 0.01, .min_ratio = 2}).kept, 3U);
}

TEST(ScoreGapTest, WithoutAGapAllStaysOrNothingDoes) {
  const GapCut all = CutAtGap(kScores, {.min_gap = 0.5});
  EXPECT_EQ(all.kept, kScores.size());
  EXPECT_FALSE(all.gap.has_value());
  EXPECT_EQ(CutAtGap(kScores, {.min_gap = 0.5, .empty_without_gap = true}).kept,
            0U);
  const std::vector<float> equal(5, 0.5F);
  EXPECT_EQ(CutAtGap(equal, {}).kept, 5U);
  EXPECT_EQ(CutAtGap(equal, {.min_ratio = 1}).kept, 5U);
  EXPECT_EQ(CutAtGap(equal, {.empty_without_gap = true}).kept, 0U);
  const std::vector<float> one = {0.5F};
  EXPECT_EQ(CutAtGap(one, {}).kept, 1U);
  EXPECT_EQ(CutAtGap({}, {}).kept, 0U);
}

TEST(ScoreGapTest, OnlyTheFirstGapsAreLookedAt) {
  EXPECT_EQ(CutAtGap(kScores, {.candidates = 3}).kept, 2U);
  EXPECT_EQ(CutAtGap(kScores, {.candidates = 2, .min_gap = 0.1}).kept,
            kScores.size());
}

// Cosines, negative squares and scores by words are cut alike.
TEST(ScoreGapTest, ARatioDoesNotDependOnTheScale) {
  for (const float scale : {0.01F, 1.0F, 250.0F}) {
    for (const float shift : {-1000.0F, 0.0F, 3.0F}) {
      std::vector<float> scores;
      for (const float score : kScores) {
        scores.push_back(score * scale * 10 + shift);
      }
      EXPECT_EQ(CutAtGap(scores, {.min_ratio = 2}).kept, 3U)
          << scale << " " << shift;
      EXPECT_EQ(CutAtGap(scores, {}).kept, 3U) << scale << " " << shift;
    }
  }
}

TEST(ScoreGapTest, BadParametersAreNamed) {
  const auto path = [](const ScoreGap& rule) {
    return InvalidFieldPath(ValidateScoreGap(rule));
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_OK(ValidateScoreGap({}));
  EXPECT_OK(ValidateScoreGap({1000, 1e-9, 1000, true}));
  EXPECT_EQ(path({.candidates = 1}), "candidates");
  EXPECT_EQ(path({.candidates = 1001}), "candidates");
  EXPECT_EQ(path({.min_gap = 0}), "min_gap");
  EXPECT_EQ(path({.min_gap = std::nan("")}), "min_gap");
  EXPECT_EQ(path({.min_gap = kInfinity}), "min_gap");
  EXPECT_EQ(path({.min_ratio = 0.99}), "min_ratio");
  EXPECT_EQ(path({.min_ratio = 1001}), "min_ratio");
  EXPECT_EQ(path({.min_ratio = std::nan("")}), "min_ratio");
}

}  // namespace
}  // namespace sextant
