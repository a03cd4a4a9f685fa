// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/margin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sextant {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Field;

// Sources 0 and 1 are both nearest to target 0, a hub; source 1's true partner
// is target 1.
class MarginTest : public testing::Test {
 protected:
  const std::vector<Neighbor> forward_ = {
      {0.9F, 0}, {0.2F, 1}, {0.8F, 0}, {0.7F, 1}};
  const std::vector<Neighbor> backward_ = {
      {0.9F, 0}, {0.8F, 1}, {0.7F, 1}, {0.2F, 0}};
  std::vector<MinedPair> Mine(MarginKind kind, MiningMode mode,
                              double threshold = -1e9) const {
    return MinePairs({forward_, 2}, {backward_, 2}, {kind, mode, threshold});
  }
};

testing::Matcher<MinedPair> Pair(uint32_t x, uint32_t y, double score) {
  return testing::AllOf(Field(&MinedPair::source, x),
                        Field(&MinedPair::target, y),
                        Field(&MinedPair::score, DoubleNear(score, 1e-6)));
}

TEST_F(MarginTest, ScoresByHand) {
  EXPECT_EQ(MarginScore(MarginKind::kAbsolute, 0.6, 0.4), 0.6);
  EXPECT_NEAR(MarginScore(MarginKind::kDistance, 0.6, 0.4), 0.2, 1e-12);
  EXPECT_NEAR(MarginScore(MarginKind::kRatio, 0.6, 0.4), 1.5, 1e-12);
  // A mean below 0 would turn the order.
  EXPECT_GT(MarginScore(MarginKind::kRatio, 0.6, -0.4),
            MarginScore(MarginKind::kRatio, 0.5, -0.4));
}

TEST_F(MarginTest, TheSimilarityAloneFollowsTheHub) {
  EXPECT_THAT(Mine(MarginKind::kAbsolute, MiningMode::kForward),
              ElementsAre(Pair(0, 0, 0.9), Pair(1, 0, 0.8)));
}

TEST_F(MarginTest, RatioFindsThePartner) {
  // Means: sources .55 and .75, targets .85 and .45.
  EXPECT_THAT(Mine(MarginKind::kRatio, MiningMode::kForward),
              ElementsAre(Pair(0, 0, 0.9 / 0.7), Pair(1, 1, 0.7 / 0.6)));
  EXPECT_THAT(Mine(MarginKind::kDistance, MiningMode::kForward),
              ElementsAre(Pair(0, 0, 0.2), Pair(1, 1, 0.1)));
}

TEST_F(MarginTest, ModesDifferInWhoChooses) {
  EXPECT_THAT(Mine(MarginKind::kAbsolute, MiningMode::kBackward),
              ElementsAre(Pair(0, 0, 0.9), Pair(1, 1, 0.7)));
  EXPECT_THAT(Mine(MarginKind::kAbsolute, MiningMode::kIntersection),
              ElementsAre(Pair(0, 0, 0.9)));
  EXPECT_THAT(Mine(MarginKind::kAbsolute, MiningMode::kMax),
              ElementsAre(Pair(0, 0, 0.9), Pair(1, 1, 0.7)));
}

TEST_F(MarginTest, TheThresholdIsAppliedLast) {
  EXPECT_THAT(Mine(MarginKind::kRatio, MiningMode::kMax, 1.2),
              ElementsAre(Pair(0, 0, 0.9 / 0.7)));
  EXPECT_THAT(Mine(MarginKind::kRatio, MiningMode::kMax, 2), ElementsAre());
}

TEST_F(MarginTest, MeansMayBeOverFewerThanTheCandidates) {
  EXPECT_THAT(MeansOf({forward_, 2}, 1),
              ElementsAre(DoubleNear(0.9, 1e-6), DoubleNear(0.8, 1e-6)));
  EXPECT_THAT(MeansOf({forward_, 2}, 9),
              ElementsAre(DoubleNear(0.55, 1e-6), DoubleNear(0.75, 1e-6)));
}

TEST(Margin, EmptySidesMineNothing) {
  EXPECT_THAT(MinePairs({}, {}, {}), ElementsAre());
}

TEST(Margin, EqualScoresGoByNumber) {
  const std::vector<Neighbor> both = {
      {0.5F, 0}, {0.5F, 1}, {0.5F, 0}, {0.5F, 1}};
  EXPECT_THAT(MinePairs({both, 2}, {both, 2}, {}), ElementsAre(Pair(0, 0, 1)));
}

}  // namespace
}  // namespace sextant
