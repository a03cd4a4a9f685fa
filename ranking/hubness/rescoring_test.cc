// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/rescoring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "ranking/hubness/hubness_test_vectors.h"

namespace sextant {
namespace {

using test::ExactRow;
using test::NoLimit;
using test::TestVectors;

TEST(Rescoring, NeighborhoodsEqualBruteForce) {
  const TestVectors items(300, 12, 5);
  std::vector<Neighborhood> found(300);
  ASSERT_OK(NeighborhoodsOfItems(items.rows(), Similarity::kProduct, 6,
                                 {nullptr, NoLimit()}, found));
  for (size_t x = 0; x < 300; ++x) {
    auto row =
        ExactRow(items.rows(), items.rows().row(x), Similarity::kProduct);
    row.erase(row.begin() + static_cast<std::ptrdiff_t>(x));
    std::sort(row.rbegin(), row.rend());
    double mean = 0;
    for (size_t i = 0; i < 6; ++i) {
      mean += (1 - row[i]) / 6;
    }
    double variance = 0;
    for (size_t i = 0; i < 6; ++i) {
      variance += (1 - row[i] - mean) * (1 - row[i] - mean) / 6;
    }
    ASSERT_NEAR(found[x].kth, 1 - row[5], 1e-5);
    ASSERT_NEAR(found[x].mean, mean, 1e-5);
    ASSERT_NEAR(found[x].deviation, std::sqrt(variance), 1e-5);
  }
}

TEST(Rescoring, FormulasByHand) {
  const Neighborhood q{.kth = 0.5, .mean = 0.4, .deviation = 0.1};
  const Neighborhood x{.kth = 0.2, .mean = 0.1, .deviation = 0.05};
  EXPECT_NEAR(LocalScaling(0.3, q, x), std::exp(-0.09 / 0.1), 1e-12);
  EXPECT_NEAR(Nicdm(0.3, q, x), -0.3 / 0.2, 1e-12);
  // One standard deviation before the mean, and four after.
  EXPECT_NEAR(MutualProximity(0.3, q, x), 0.8413447460685429 * 3.1671241833e-5,
              1e-12);
  EXPECT_EQ(GloballyCorrected(0.5F, std::vector<float>{0.6F, 0.5F, 0.4F}),
            0.5 - 2);
  EXPECT_EQ(GloballyCorrected(0.5F, {}), 0.5 - 1);
}

TEST(Rescoring, EdgesAreNumbers) {
  const Neighborhood none;
  for (const double d : {0.0, 0.5, 2.0}) {
    for (const double score :
         {LocalScaling(d, none, none), Nicdm(d, none, none),
          MutualProximity(d, none, none)}) {
      EXPECT_TRUE(std::isfinite(score)) << d;
    }
  }
  // Without a deviation the survival is a step.
  const Neighborhood step{.mean = 0.5};
  EXPECT_EQ(MutualProximity(0.4, step, step), 1);
  EXPECT_EQ(MutualProximity(0.6, step, step), 0);
  EXPECT_EQ(MutualProximity(0.5, step, step), 0.25);
  EXPECT_EQ(NeighborhoodOf({}, 4).mean, 0);
}

TEST(Rescoring, NearItemsOfFewNeighborsRiseAndHubsFall) {
  // Both candidates are equally far; the second is a hub: all are near to it.
  const std::vector<double> distances = {0.3, 0.3, 0.9};
  const Neighborhood query = NeighborhoodOf(distances, 3);
  const std::vector<Neighborhood> items = {
      {.kth = 0.5, .mean = 0.4, .deviation = 0.1},
      {.kth = 0.1, .mean = 0.05, .deviation = 0.02},
      {.kth = 0.5, .mean = 0.4, .deviation = 0.1}};
  for (const NormalizerMethod method :
       {NormalizerMethod::kLocalScaling, NormalizerMethod::kNicdm,
        NormalizerMethod::kMutualProximity}) {
    ASSERT_TRUE(UsesNeighborhoods(method));
    std::vector<double> scores;
    for (size_t i = 0; i < items.size(); ++i) {
      scores.push_back(
          ScoreByNeighborhoods(method, distances[i], query, items[i]));
    }
    EXPECT_GT(scores[0], scores[1]) << NameOf(method);
    EXPECT_GT(scores[0], scores[2]) << NameOf(method);
  }
}

}  // namespace
}  // namespace sextant
