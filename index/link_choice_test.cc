// SPDX-License-Identifier: Apache-2.0
#include "index/link_choice.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "index/distance.h"

namespace sextant {
namespace {

using ::testing::ElementsAre;

// Points in a plane; node 0 is the one that chooses.
class LinkChoiceTest : public ::testing::Test {
 protected:
  void Place(std::vector<std::pair<float, float>> points) {
    vectors_.assign(points.size() * kStride, 0);
    for (size_t i = 0; i < points.size(); ++i) {
      vectors_[i * kStride] = points[i].first;
      vectors_[i * kStride + 1] = points[i].second;
    }
  }

  // Of all others, nearest first.
  std::vector<uint32_t> Choose(std::vector<uint32_t> others, uint32_t count) {
    const LinkChoice choice({Metric::kL2, 2}, vectors_.data());
    std::vector<float> distances(others.size());
    choice.Distances(0, others, distances.data());
    std::vector<BeamNode> candidates;
    for (size_t i = 0; i < others.size(); ++i) {
      candidates.push_back({distances[i], others[i]});
    }
    std::vector<uint32_t> chosen = {99};  // is forgotten
    choice.Choose(candidates, count, chosen);
    return chosen;
  }

  static constexpr size_t kStride = PaddedStride(2);
  std::vector<float> vectors_;
};

TEST_F(LinkChoiceTest, WhatLiesBehindAChosenNodeIsLeftOut) {
  // 2 lies behind 1; 3 on the other side; 4 is behind 3, 5 to the right.
  Place({{0, 0}, {0, 1}, {0, 2}, {0, -2.5F}, {0.1F, -3}, {4, 0}});
  EXPECT_THAT(Choose({1, 2, 3, 4, 5}, 4), ElementsAre(1, 3, 5));
  EXPECT_THAT(Choose({1, 2, 3, 4, 5}, 2), ElementsAre(1, 3));
}

TEST_F(LinkChoiceTest, FewCandidatesAreAllTaken) {
  Place({{0, 0}, {0, 1}, {0, 2}, {0, 3}});
  EXPECT_THAT(Choose({1, 2, 3}, 4), ElementsAre(1, 2, 3));
  EXPECT_THAT(Choose({1, 2, 3}, 3), ElementsAre(1));
  EXPECT_THAT(Choose({}, 3), ElementsAre());
}

TEST_F(LinkChoiceTest, ANodeAsNearToAChosenOneStays) {
  Place({{0, 0}, {1, 0}, {0.5F, 0.8660254F * 1.01F}});
  EXPECT_THAT(Choose({1, 2}, 2), ElementsAre(1, 2));
}

TEST_F(LinkChoiceTest, MoreChosenThanOneBatchOfDistances) {
  // A row of points, each its own direction, and one behind the last.
  std::vector<std::pair<float, float>> points = {{0, 0}};
  for (int i = 0; i < 6; ++i) {
    const float angle = static_cast<float>(i) * 1.047F;
    points.emplace_back(std::cos(angle), std::sin(angle) * 1.02F);
  }
  points.emplace_back(2 * points[6].first, 2 * points[6].second);
  Place(points);
  const std::vector<uint32_t> chosen = Choose({1, 2, 3, 4, 5, 6, 7}, 7);
  EXPECT_THAT(chosen, ::testing::Not(::testing::Contains(7)));
  EXPECT_THAT(chosen, ::testing::Contains(6));
}

TEST_F(LinkChoiceTest, ADistanceThatIsNoNumberIsInfinite) {
  const float huge = std::numeric_limits<float>::max();
  Place({{huge, huge}, {huge, -huge}});
  const LinkChoice choice({Metric::kInnerProduct, 2}, vectors_.data());
  const uint32_t other = 1;
  float distance = 0;
  choice.Distances(0, {&other, 1}, &distance);
  EXPECT_EQ(distance, std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace sextant
