// SPDX-License-Identifier: Apache-2.0
#include "bench/ann_measure.h"

#include "gtest/gtest.h"

#include "bench/processor.h"

namespace sextant {
namespace {

AnnPoint At(double recall, double qps) {
  return {.effort = {}, .recall = recall, .qps = qps};
}

TEST(QpsAtRecallTest, LiesBetweenItsNeighboursLogarithmically) {
  const auto qps = QpsAtRecall({At(0.9, 1000), At(1.0, 10)}, 0.95);
  ASSERT_TRUE(qps.has_value());
  EXPECT_NEAR(*qps, 100, 1e-6);
}

TEST(QpsAtRecallTest, ACurveThatStartsAboveGivesItsFirstPoint) {
  EXPECT_EQ(QpsAtRecall({At(0.97, 500), At(0.99, 100)}, 0.95), 500);
}

TEST(QpsAtRecallTest, ACurveThatEndsBelowGivesNothing) {
  EXPECT_EQ(QpsAtRecall({At(0.5, 500), At(0.94, 100)}, 0.95), std::nullopt);
}

TEST(MedianTest, IsTheMiddleOrTheMeanOfTheMiddles) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({}), 0);
}

}  // namespace
}  // namespace sextant
