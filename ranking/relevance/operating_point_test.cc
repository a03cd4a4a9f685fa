// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/operating_point.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "tests/support/test_seed.h"

namespace sextant {
namespace {

TEST(OperatingPointTest, ByHand) {
  const std::vector<LabelledScore> pairs = {
      {0.9, true}, {0.8, false}, {0.7, true}, {0.7, false}, {0.2, true}};
  const PrecisionRecallCurve curve(pairs);
  EXPECT_EQ(curve.relevant(), 3U);
  const auto two_thirds = curve.ForRecall(0.66);
  ASSERT_TRUE(two_thirds.has_value());
  EXPECT_DOUBLE_EQ(two_thirds->threshold, 0.45);
  EXPECT_DOUBLE_EQ(two_thirds->recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(two_thirds->precision, 0.5);  // both of 0.7
  EXPECT_EQ(two_thirds->kept, 4U);
  EXPECT_DOUBLE_EQ(curve.ForRecall(1)->threshold, -0.3);
  EXPECT_DOUBLE_EQ(curve.ForPrecision(0.55)->threshold, -0.3);
  EXPECT_DOUBLE_EQ(curve.ForPrecision(0.61)->threshold, 0.85);
  EXPECT_FALSE(curve.ForPrecision(1.01).has_value());
  EXPECT_DOUBLE_EQ(curve.AveragePrecision(), (1 + 0.5 + 0.6) / 3);
  EXPECT_EQ(curve.At(0.95).kept, 0U);
  EXPECT_EQ(curve.At(0.7).kept, 4U);
}

TEST(OperatingPointTest, WithoutARelevantPairThereIsNoPoint) {
  const std::vector<LabelledScore> one = {{0.5, false}};
  const PrecisionRecallCurve none(one);
  EXPECT_FALSE(none.ForRecall(0.5).has_value());
  EXPECT_FALSE(none.ForPrecision(0.5).has_value());
  EXPECT_EQ(none.AveragePrecision(), 0);
  EXPECT_FALSE(PrecisionRecallCurve(std::vector<LabelledScore>())
                   .ForRecall(1)
                   .has_value());
}

TEST(OperatingPointTest, ThresholdsReachWhatTheyAreFor) {
  std::mt19937_64 random(test::TestSeed());
  for (int round = 0; round < 50; ++round) {
    std::vector<LabelledScore> pairs;
    for (int i = 0; i < 200; ++i) {
      const bool relevant = random() % 5 == 0;
      pairs.push_back(
          {static_cast<double>(random() % 40) + (relevant ? 10.0 : 0.0),
           relevant});
    }
    pairs.push_back({20, true});
    const PrecisionRecallCurve curve(pairs);
    for (const double recall : {0.05, 0.5, 0.95, 1.0}) {
      const auto point = curve.ForRecall(recall);
      ASSERT_TRUE(point.has_value());
      uint64_t kept = 0;
      uint64_t right = 0;
      for (const LabelledScore& pair : pairs) {
        kept += pair.score >= point->threshold ? 1U : 0U;
        right += pair.score >= point->threshold && pair.relevant ? 1U : 0U;
      }
      EXPECT_EQ(kept, point->kept);
      EXPECT_GE(static_cast<double>(right),
                recall * static_cast<double>(curve.relevant()) - 1e-9);
      EXPECT_DOUBLE_EQ(point->precision,
                       static_cast<double>(right) / static_cast<double>(kept));
      EXPECT_DOUBLE_EQ(curve.At(point->threshold).recall, point->recall);
    }
  }
}

}  // namespace
}  // namespace sextant
