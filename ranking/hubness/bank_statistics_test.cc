// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/bank_statistics.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "ranking/hubness/hubness_test_vectors.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using test::ExactLogSumExp;
using test::ExactRow;
using test::ExactTopMean;
using test::NoLimit;
using test::TestVectors;

struct Shape {
  size_t items;
  size_t bank;
  uint32_t dimension;
};

// One and several blocks of each side, and their borders.
class BankStatisticsTest : public testing::TestWithParam<Shape> {};

INSTANTIATE_TEST_SUITE_P(Shapes, BankStatisticsTest,
                         testing::Values(Shape{1, 1, 1}, Shape{3, 31, 7},
                                         Shape{256, 512, 24},
                                         Shape{257, 513, 24},
                                         Shape{600, 1200, 33}));

TEST_P(BankStatisticsTest, EqualsBruteForce) {
  const uint64_t seed = test::TestSeed();
  const Shape shape = GetParam();
  const TestVectors items(shape.items, shape.dimension, seed);
  const TestVectors bank(shape.bank, shape.dimension, seed + 1);
  ThreadPool pool({.threads = 2});
  std::atomic<uint64_t> done{0};
  const PassRun run{&pool, NoLimit(), &done};
  for (const Similarity similarity :
       {Similarity::kProduct, Similarity::kNegativeSquares}) {
    std::vector<double> logs(shape.items);
    std::vector<float> means(shape.items);
    done = 0;
    ASSERT_OK(LogSumExpOfItems(items.rows(), bank.rows(), similarity,
                               {.scale = 20}, run, logs));
    EXPECT_EQ(done, shape.items);
    ASSERT_OK(
        TopMeansOfItems(items.rows(), bank.rows(), similarity, 10, run, means));
    for (size_t i = 0; i < shape.items; ++i) {
      const std::vector<double> row =
          ExactRow(bank.rows(), items.rows().row(i), similarity);
      ASSERT_NEAR(logs[i] / 20, ExactLogSumExp(row, 20) / 20, 1e-5) << i;
      ASSERT_NEAR(means[i], ExactTopMean(row, 10), 1e-5) << i;
    }
  }
}

TEST_P(BankStatisticsTest, NearestRowsAreThoseOfASort) {
  const uint64_t seed = test::TestSeed();
  const Shape shape = GetParam();
  const TestVectors items(shape.items, shape.dimension, seed);
  for (const bool same : {false, true}) {
    const TestVectors other(shape.bank, shape.dimension, seed + 1);
    const VectorRows bank = same ? items.rows() : other.rows();
    const NearestOptions options{.k = 12, .same_rows = same};
    const size_t k = NeighborsOf(bank, options);
    EXPECT_EQ(k, std::min<size_t>(12, bank.count - (same ? 1 : 0)));
    std::vector<Neighbor> nearest(shape.items * k);
    ASSERT_OK(NearestOfItems(items.rows(), bank, Similarity::kProduct, options,
                             {nullptr, NoLimit()}, nearest));
    for (size_t i = 0; i < shape.items; ++i) {
      std::vector<double> row =
          ExactRow(bank, items.rows().row(i), Similarity::kProduct);
      std::vector<bool> seen(bank.count, false);
      for (size_t j = 0; j < k; ++j) {
        const Neighbor& found = nearest[i * k + j];
        ASSERT_FALSE(seen[found.row]) << "twice";
        seen[found.row] = true;
        ASSERT_FALSE(same && found.row == i);
        ASSERT_NEAR(found.similarity, row[found.row], 1e-5);
      }
      if (same) {
        row[i] = -std::numeric_limits<double>::infinity();
      }
      std::sort(row.rbegin(), row.rend());
      for (size_t j = 0; j < k; ++j) {
        ASSERT_NEAR(nearest[i * k + j].similarity, row[j], 1e-5) << i;
      }
    }
  }
}

TEST(BankStatistics, EqualRowsComeByNumber) {
  TestVectors bank(1, 4, 1);
  const std::vector<float> one = bank.numbers;
  for (size_t i = 1; i < 700; ++i) {
    bank.numbers.insert(bank.numbers.end(), one.begin(), one.end());
  }
  std::vector<Neighbor> nearest(3);
  ASSERT_OK(NearestOfItems(bank.rows().Sub(0, 1), bank.rows(),
                           Similarity::kProduct, {.k = 3}, {nullptr, NoLimit()},
                           nearest));
  EXPECT_EQ(nearest[0].row, 0U);
  EXPECT_EQ(nearest[1].row, 1U);
  EXPECT_EQ(nearest[2].row, 2U);
}

TEST(BankStatistics, HugeScalesNeitherOverflowNorVanish) {
  const TestVectors items(20, 16, 3);
  const TestVectors bank(600, 16, 4);
  for (const double scale : {1e-6, 1.0, 100.0, 1e4, 1e6}) {
    std::vector<double> logs(20);
    ASSERT_OK(LogSumExpOfItems(items.rows(), bank.rows(), Similarity::kProduct,
                               {.scale = scale}, {nullptr, NoLimit()}, logs));
    for (size_t i = 0; i < logs.size(); ++i) {
      const double exact = ExactLogSumExp(
          ExactRow(bank.rows(), items.rows().row(i), Similarity::kProduct),
          scale);
      EXPECT_NEAR(logs[i] / std::max(1.0, scale), exact / std::max(1.0, scale),
                  1e-5)
          << scale;
    }
  }
}

TEST(BankStatistics, EmptySidesAreNoErrors) {
  const TestVectors items(3, 4, 1);
  const VectorRows none{items.rows().data, 0, 4, 4};
  const PassRun run{nullptr, NoLimit()};
  std::vector<double> logs(3);
  ASSERT_OK(LogSumExpOfItems(items.rows(), none, Similarity::kProduct, {}, run,
                             logs));
  EXPECT_EQ(logs[0], -INFINITY);
  std::vector<float> means(3, 1);
  ASSERT_OK(
      TopMeansOfItems(items.rows(), none, Similarity::kProduct, 5, run, means));
  EXPECT_EQ(means[0], 0);
  EXPECT_OK(
      TopMeansOfItems(none, items.rows(), Similarity::kProduct, 5, run, {}));
  EXPECT_OK(NearestOfItems(items.rows(), none, Similarity::kProduct, {.k = 3},
                           run, {}));
  EXPECT_OK(NearestOfItems(none, items.rows(), Similarity::kProduct, {.k = 3},
                           run, {}));
}

TEST(BankStatistics, CancellationStopsAPass) {
  const TestVectors items(2000, 16, 3);
  RequestContext context;
  context.Cancel();
  ThreadPool pool({.threads = 2});
  std::vector<double> logs(2000);
  EXPECT_THAT(LogSumExpOfItems(items.rows(), items.rows(), Similarity::kProduct,
                               {}, {&pool, context}, logs),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace sextant
