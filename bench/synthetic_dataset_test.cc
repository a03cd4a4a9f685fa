// SPDX-License-Identifier: Apache-2.0
#include "bench/synthetic_dataset.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "gtest/gtest.h"

#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

constexpr uint32_t kTop = 10;

SyntheticShape SmallShape() {
  return {.rows = 5'000, .queries = 60, .dimension = 32, .clusters = 8};
}

AnnDataset Make(const SyntheticShape& shape, int threads) {
  const TempDir folder;
  const absl::StatusOr<std::string> made =
      SyntheticFolder(folder.path(), shape, threads);
  EXPECT_TRUE(made.ok()) << made.status();
  absl::StatusOr<AnnDataset> dataset = ReadAnnDataset(*made, kTop, 0);
  EXPECT_TRUE(dataset.ok()) << dataset.status();
  return *std::move(dataset);
}

TEST(SyntheticDatasetTest, ThreadsDoNotChangeIt) {
  EXPECT_EQ(Make(SmallShape(), 1).hash, Make(SmallShape(), 3).hash);
}

TEST(SyntheticDatasetTest, SeedsChangeIt) {
  SyntheticShape other = SmallShape();
  ++other.seed;
  EXPECT_NE(Make(SmallShape(), 1).hash, Make(other, 1).hash);
}

TEST(SyntheticDatasetTest, RowsHaveUnitLength) {
  const AnnDataset dataset = Make(SmallShape(), 2);
  for (uint32_t row = 0; row < dataset.rows; ++row) {
    double squares = 0;
    for (uint32_t i = 0; i < dataset.dimension; ++i) {
      const double number = dataset.row(row)[i];
      squares += number * number;
    }
    ASSERT_NEAR(squares, 1, 1e-5) << "row " << row;
  }
}

TEST(SyntheticDatasetTest, ScoresAreThoseOfBruteForce) {
  const AnnDataset dataset = Make(SmallShape(), 2);
  for (uint32_t query = 0; query < dataset.queries; ++query) {
    std::vector<double> scores;
    for (uint32_t row = 0; row < dataset.rows; ++row) {
      double score = 0;
      for (uint32_t i = 0; i < dataset.dimension; ++i) {
        score += double{dataset.query(query)[i]} * double{dataset.row(row)[i]};
      }
      scores.push_back(score);
    }
    std::sort(scores.begin(), scores.end(), std::greater<>());
    ASSERT_NEAR(dataset.kth_scores[query], scores[kTop - 1], 1e-6)
        << "query " << query;
  }
}

TEST(SyntheticDatasetTest, ImpossibleShapesAreRefused) {
  const TempDir folder;
  SyntheticShape shape = SmallShape();
  shape.dimension = 100;
  EXPECT_EQ(SyntheticFolder(folder.path(), shape, 1).status().code(),
            absl::StatusCode::kInvalidArgument);
  shape = SmallShape();
  shape.rows = 99;
  EXPECT_EQ(SyntheticFolder(folder.path(), shape, 1).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace sextant
