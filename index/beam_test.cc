// SPDX-License-Identifier: Apache-2.0
#include "index/beam.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kTestSeed = 31;

std::vector<uint32_t> LiveNodes(SortedBeam& beam) {
  std::vector<uint32_t> nodes;
  beam.ForEachLive([&nodes](BeamNode node) {
    nodes.push_back(node.node);
    return true;
  });
  return nodes;
}

TEST(SortedBeamTest, HandsOutEachNodeOnceNearestFirst) {
  SortedBeam beam;
  beam.Start(3);
  beam.Insert(3, 30, true);
  beam.Insert(1, 10, true);
  uint32_t node = 0;
  ASSERT_TRUE(beam.Next(&node));
  EXPECT_EQ(node, 10U);
  beam.Insert(0.5F, 5, true);
  beam.Insert(2, 20, true);  // pushes 30 out
  ASSERT_TRUE(beam.Next(&node));
  EXPECT_EQ(node, 5U);
  ASSERT_TRUE(beam.Next(&node));
  EXPECT_EQ(node, 20U);
  EXPECT_FALSE(beam.Next(&node));
  EXPECT_THAT(LiveNodes(beam), ElementsAre(5, 10, 20));
}

TEST(SortedBeamTest, ARuleDropsWhatIsFarBehindTheKthNearest) {
  SortedBeam beam;
  beam.Start(100, {.factor = 2, .origin = 0, .margin = 1, .k = 2});
  beam.Insert(10, 1, true);
  EXPECT_EQ(beam.bound(), StopRule::kNever);
  beam.Insert(30, 3, true);
  EXPECT_EQ(beam.bound(), 61);  // 30 + 1 + 30
  beam.Insert(60, 6, true);
  beam.Insert(20, 2, true);
  EXPECT_EQ(beam.bound(), 41);
  EXPECT_THAT(LiveNodes(beam), ElementsAre(1, 2, 3));
  // A dead node is walked through but is not the k-th nearest.
  beam.Insert(5, 5, false);
  EXPECT_EQ(beam.bound(), 41);
  beam.Insert(4, 4, true);
  EXPECT_EQ(beam.bound(), 21);
  EXPECT_THAT(LiveNodes(beam), ElementsAre(4, 1, 2));
}

TEST(SortedBeamTest, ARuleNeverDropsTheNearestThoughTheyLieBelowTheOrigin) {
  SortedBeam beam;
  beam.Start(10, {.factor = 1.5F, .origin = 1, .margin = 0, .k = 2});
  beam.Insert(-1.5F, 1, true);
  beam.Insert(-1.25F, 2, true);
  EXPECT_EQ(beam.bound(), -1.25F);
  EXPECT_THAT(LiveNodes(beam), ElementsAre(1, 2));
}

TEST(SortedBeamTest, EndsBehindWhatIsUsefulOnceEnoughIsFound) {
  const StopRule rule{.factor = 1.5F, .k = 2, .useful = 4};
  SortedBeam beam;
  beam.Start(10, rule);
  beam.Insert(8, 1, true);
  uint32_t node = 0;
  ASSERT_TRUE(beam.Next(&node));  // too far, but there is no other way yet
  EXPECT_EQ(node, 1U);
  beam.Insert(9, 2, true);
  beam.Insert(5.5F, 3, true);
  ASSERT_TRUE(beam.Next(&node));  // within the slack behind 4
  EXPECT_EQ(node, 3U);
  EXPECT_FALSE(beam.Next(&node));
  // What was found stays.
  EXPECT_THAT(LiveNodes(beam), ElementsAre(3, 1, 2));
  beam.Start(10, {.factor = 1.5F, .k = 2});
  for (const uint32_t far : {8U, 9U, 10U}) {
    beam.Insert(static_cast<float>(far), far, true);
  }
  EXPECT_TRUE(beam.Next(&node) && beam.Next(&node));
}

TEST(SortedBeamTest, GrowsWithTheNodesItHolds) {
  SortedBeam beam;
  beam.Start(SortedBeam::kMaxNodes - 1);
  constexpr uint32_t kNodes = 1000;
  for (uint32_t node = 0; node < kNodes; ++node) {
    beam.Insert(static_cast<float>(node), node, true);
  }
  EXPECT_EQ(LiveNodes(beam).size(), kNodes);
}

// The nodes that a rule leaves, the obvious way.
std::vector<uint32_t> Expected(const StopRule& rule, uint32_t width,
                               std::vector<std::pair<BeamNode, bool>> inserted,
                               float* bound) {
  std::ranges::stable_sort(
      inserted, {}, [](const auto& entry) { return entry.first.distance; });
  std::vector<BeamNode> live;
  for (const auto& [node, is_live] : inserted) {
    if (is_live) {
      live.push_back(node);
    }
  }
  *bound = live.size() < rule.k
               ? StopRule::kNever
               : rule.Limit(live[rule.k - 1].distance, live[rule.k - 1].node);
  std::vector<uint32_t> nodes;
  for (const BeamNode& node : live) {
    if (nodes.size() < width && node.distance <= *bound) {
      nodes.push_back(node.node);
    }
  }
  if (nodes.size() == width) {
    *bound = live[width - 1].distance;
  }
  return nodes;
}

TEST(SortedBeamTest, KeepsWhatTheRuleSaysForRandomInsertions) {
  std::mt19937_64 random(kTestSeed);
  std::uniform_real_distribution<float> distances(-0.5F, 10);
  SortedBeam beam;
  for (int round = 0; round < 500; ++round) {
    const StopRule rule{.factor = 1 + static_cast<float>(random() % 4) / 4,
                        .origin = 0.25F,
                        .margin = static_cast<float>(random() % 2),
                        .k = static_cast<uint32_t>(1 + random() % 4)};
    const auto width = static_cast<uint32_t>(rule.k + random() % 12);
    beam.Start(width, rule);
    std::vector<std::pair<BeamNode, bool>> inserted;
    for (uint32_t node = 0; node < 40; ++node) {
      const float distance = distances(random);
      const bool is_live = random() % 4 != 0;
      if (distance < beam.bound()) {
        beam.Insert(distance, node, is_live);
      }
      inserted.push_back({{distance, node}, is_live});
      float bound = 0;
      const std::vector<uint32_t> expected =
          Expected(rule, width, inserted, &bound);
      ASSERT_EQ(LiveNodes(beam), expected)
          << "round " << round << " seed " << kTestSeed;
      ASSERT_EQ(beam.bound(), bound)
          << "round " << round << " seed " << kTestSeed;
      uint32_t next = 0;
      if (random() % 3 == 0) {
        beam.Next(&next);
      }
    }
  }
}

}  // namespace
}  // namespace sextant
