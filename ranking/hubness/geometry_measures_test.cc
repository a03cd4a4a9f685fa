// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/geometry_measures.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "ranking/hubness/hubness_test_vectors.h"

namespace sextant {
namespace {

using test::NoLimit;

struct Rows {
  std::vector<float> numbers;
  uint32_t dimension;
  VectorRows rows() const {
    return {numbers.data(), numbers.size() / dimension, dimension, dimension};
  }
};

Rows Normal(size_t count, uint32_t dimension, uint32_t used) {
  Rows rows{std::vector<float>(count * dimension, 0), dimension};
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < count; ++i) {
    for (uint32_t j = 0; j < used; ++j) {
      rows.numbers[i * dimension + j] = normal(random);
    }
  }
  return rows;
}

TEST(GeometryMeasures, IntrinsicDimensionByHand) {
  // ln(1/4) + ln(2/4) + ln(4/4), three distances.
  EXPECT_NEAR(LocalIntrinsicDimension(std::vector<double>{1, 2, 4}),
              3 / (std::log(4) + std::log(2)), 1e-12);
  EXPECT_NEAR(LocalIntrinsicDimension(std::vector<double>{0, 1, 2, 4}),
              3 / (std::log(4) + std::log(2)), 1e-12);
  EXPECT_EQ(LocalIntrinsicDimension(std::vector<double>{2, 2}), INFINITY);
  EXPECT_EQ(LocalIntrinsicDimension(std::vector<double>{0, 0}), INFINITY);
  EXPECT_EQ(LocalIntrinsicDimension({}), INFINITY);
}

TEST(GeometryMeasures, IntrinsicDimensionSeesThroughTheSpace) {
  const Rows plane = Normal(2000, 20, 2);
  ASSERT_OK_AND_ASSIGN(
      const IntrinsicDimension flat,
      MeasureIntrinsicDimension(plane.rows(), 50, {nullptr, NoLimit()}));
  EXPECT_NEAR(flat.median, 2, 0.4);
  EXPECT_NEAR(flat.mean, 2, 0.5);
  const Rows full = Normal(2000, 8, 8);
  ASSERT_OK_AND_ASSIGN(
      const IntrinsicDimension wide,
      MeasureIntrinsicDimension(full.rows(), 50, {nullptr, NoLimit()}));
  EXPECT_GT(wide.median, 5);
}

TEST(GeometryMeasures, AlignmentAndUniformityByHand) {
  const Rows a{{1, 0, 0, 1}, 2};
  const Rows b{{1, 0, 1, 0}, 2};
  EXPECT_NEAR(Alignment(a.rows(), b.rows()), (0 + 2) / 2.0, 1e-12);
  const Rows corners{{1, 0, 0, 1, -1, 0}, 2};
  ASSERT_OK_AND_ASSIGN(const double uniformity,
                       Uniformity(corners.rows(), {nullptr, NoLimit()}));
  // Squared distances 2, 2 and 4.
  EXPECT_NEAR(uniformity, std::log((2 * std::exp(-4) + std::exp(-8)) / 3),
              1e-6);
  ASSERT_OK_AND_ASSIGN(const double alone, Uniformity(corners.rows().Sub(0, 1),
                                                      {nullptr, NoLimit()}));
  EXPECT_EQ(alone, 0);
}

TEST(GeometryMeasures, IsotropyIsOneAllAroundAndNoneOnALine) {
  const Rows round = Normal(4000, 10, 10);
  EXPECT_GT(IsoScore(round.rows()), 0.95);
  const Rows half = Normal(4000, 10, 5);
  EXPECT_NEAR(IsoScore(half.rows()), (5 - 1) / 9.0, 0.03);
  const Rows line = Normal(4000, 10, 1);
  EXPECT_NEAR(IsoScore(line.rows()), 0, 1e-6);
  EXPECT_EQ(IsoScore({nullptr, 0, 3, 3}), 0);
  EXPECT_EQ(IsoScore(Normal(5, 3, 0).rows()), 0);
  EXPECT_EQ(IsoScore(Normal(5, 1, 1).rows()), 1);

  EXPECT_GT(PartitionIsotropy(round.rows()), 0.8);
  const test::TestVectors aside(500, 10, 3);
  EXPECT_LT(PartitionIsotropy(aside.rows()),
            PartitionIsotropy(round.rows()) - 0.1);
  EXPECT_EQ(PartitionIsotropy({nullptr, 0, 3, 3}), 1);
}

}  // namespace
}  // namespace sextant
