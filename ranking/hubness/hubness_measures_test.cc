// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/hubness_measures.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sextant {
namespace {

// Five points by the distances between them; scikit-hubness computes the
// skewness below for k = 2.
TEST(HubnessMeasures, SkewnessOfAPublishedExample) {
  const std::vector<double> condensed = {.2, .1, .8, .4, .3,
                                         .5, .7, 1., .6, .9};
  std::vector<std::vector<double>> distance(5, std::vector<double>(5, 0));
  size_t next = 0;
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = i + 1; j < 5; ++j) {
      distance[i][j] = distance[j][i] = condensed[next++];
    }
  }
  std::vector<Neighbor> nearest;
  for (size_t i = 0; i < 5; ++i) {
    std::vector<uint32_t> order;
    for (uint32_t j = 0; j < 5; ++j) {
      if (j != i) {
        order.push_back(j);
      }
    }
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return distance[i][a] < distance[i][b];
    });
    nearest.push_back({0, order[0]});
    nearest.push_back({0, order[1]});
  }
  const Hubness found = MeasureHubness(CountOccurrences(nearest, 5), 2, 5);
  EXPECT_NEAR(found.skewness, -0.2561204163, 1e-9);
  EXPECT_EQ(found.items, 5U);
  EXPECT_EQ(found.queries, 5U);
}

TEST(HubnessMeasures, ByHand) {
  // Ten queries, k = 1, four items.
  const std::vector<uint32_t> counts = {7, 3, 0, 0};
  const Hubness found = MeasureHubness(counts, 1, 10);
  EXPECT_NEAR(found.robin_hood, 0.5 * (4.5 + 0.5 + 2.5 + 2.5) / 10, 1e-12);
  // sum |Ni - Nj| over ordered pairs = 2 (4 + 7 + 7 + 3 + 3 + 0) = 48.
  EXPECT_NEAR(found.gini, 48.0 / (2 * 4 * 10), 1e-12);
  EXPECT_EQ(found.anti_hub_share, 0.5);
  EXPECT_EQ(found.hub_occurrence, 1.0);
  EXPECT_EQ(found.greatest, 7U);
  EXPECT_THAT(WorstHubs(counts, 3), testing::ElementsAre(Hub{0, 7}, Hub{1, 3}));
  EXPECT_THAT(WorstHubs(counts, 1), testing::ElementsAre(Hub{0, 7}));
  // 0, 1, 2-3, 4-7.
  EXPECT_THAT(OccurrenceHistogram(counts), testing::ElementsAre(2, 0, 1, 1));
}

TEST(HubnessMeasures, NothingAndAllAlikeAreNumbers) {
  EXPECT_EQ(MeasureHubness({}, 10, 0).skewness, 0);
  EXPECT_EQ(MeasureHubness(std::vector<uint32_t>{0, 0}, 10, 5).robin_hood, 0);
  const Hubness even = MeasureHubness(std::vector<uint32_t>{3, 3, 3}, 3, 3);
  EXPECT_EQ(even.skewness, 0);
  EXPECT_EQ(even.robin_hood, 0);
  EXPECT_EQ(even.gini, 0);
  EXPECT_THAT(WorstHubs({}, 5), testing::IsEmpty());
  EXPECT_THAT(OccurrenceHistogram({}), testing::IsEmpty());
}

TEST(HubnessMeasures, ByChanceIsWhatRandomNeighboursGive) {
  constexpr uint32_t kTestItems = 500;
  constexpr uint64_t kQueries = 40'000;
  constexpr uint32_t kNeighbors = 3;
  // Any k different items, each as likely.
  std::mt19937_64 random(17);
  std::vector<uint32_t> counts(kTestItems, 0);
  std::vector<uint32_t> first(kTestItems, 0);  // of 150 queries alone
  for (uint64_t query = 0; query < kQueries; ++query) {
    std::set<uint32_t> chosen;
    while (chosen.size() < kNeighbors) {
      chosen.insert(static_cast<uint32_t>(random() % kTestItems));
    }
    for (const uint32_t item : chosen) {
      ++counts[item];
      first[item] += query < 150 ? 1 : 0;
    }
  }
  const Hubness many = MeasureHubness(counts, kNeighbors, kQueries);
  EXPECT_NEAR(many.skewness,
              ByChance(kTestItems, kQueries, kNeighbors).skewness, 0.35);
  const Hubness few = MeasureHubness(first, kNeighbors, 150);
  const HubnessByChance chance = ByChance(kTestItems, 150, kNeighbors);
  EXPECT_NEAR(few.anti_hub_share, chance.anti_hub_share, 0.06);
  EXPECT_NEAR(chance.anti_hub_share, 0.405, 0.001);
  EXPECT_GT(chance.skewness, 0.9);
  EXPECT_EQ(ByChance(0, 10, 3).skewness, 0);
  EXPECT_EQ(ByChance(3, 10, 3).anti_hub_share, 0);
}

}  // namespace
}  // namespace sextant
