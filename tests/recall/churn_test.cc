// SPDX-License-Identifier: Apache-2.0
// Steady state: ten rounds that each replace every point, in random order and
// with new numbers, as merges run. What searches find, the work they take and
// the memory of the index are then those of a collection that was given the
// same points once. (Two rounds are not compared with each other: other numbers
// alone move the recall of this many queries by half a point.)
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "base/status_macros.h"
#include "base/status_matchers.h"
#include "engine/database.h"
#include "index/test_vectors.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 90210;
constexpr uint32_t kTestDimension = 32;
constexpr uint32_t kTestPoints = 6000;
constexpr uint32_t kQueries = 600;
constexpr uint32_t kRounds = 10;
constexpr uint32_t kBatch = 200;
constexpr uint32_t kHits = 10;
constexpr uint32_t kEf = 48;

struct Measured {
  double recall = 0;
  double distances = 0;  // a search
  uint64_t bytes = 0;    // of the index
};

class ChurnTest : public testing::Test {
 protected:
  void SetUp() override {
    DatabaseOptions options;
    options.store.path = folder_.path();
    options.store.min_free_bytes = 0;
    options.seal_rows = 1024;
    options.min_graph_rows = 256;
    options.seal_idle_ms = 3'600'000;
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(options));
    Schema schema;
    schema.vector_fields.push_back({"v", kTestDimension, Metric::kL2, {}});
    ASSERT_OK_AND_ASSIGN(churned_, database_->Create("churned", schema));
    ASSERT_OK_AND_ASSIGN(fresh_, database_->Create("fresh", schema));
    const TestVectors all =
        ClusteredVectors({Metric::kL2, kTestDimension}, kTestPoints + kQueries,
                         60, kTestSeed, 1.5F);
    for (uint32_t row = 0; row < all.rows(); ++row) {
      (row % (kTestPoints / kQueries + 1) == 0 ? queries_ : points_)
          .Append(all.row(row));
    }
  }
  void TearDown() override {
    churned_.reset();
    fresh_.reset();
    EXPECT_OK(database_->Close());
  }

  // Every point, a little elsewhere than it was ever before.
  absl::Status ReplaceAll() {
    std::normal_distribution<float> normal(0, 0.05F);
    placed_.resize(points_.rows());
    for (uint32_t row = 0; row < points_.rows(); ++row) {
      const auto at = points_.row(row);
      placed_[row].assign(at.begin(), at.end());
      for (float& x : placed_[row]) {
        x += normal(random_);
      }
    }
    return WriteAll(*churned_);
  }

  // The points where they were placed last, in random order.
  absl::Status WriteAll(Collection& collection) {
    std::vector<uint32_t> order(placed_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random_);
    for (size_t first = 0; first < order.size(); first += kBatch) {
      std::vector<Point> batch;
      for (size_t i = first; i < std::min(order.size(), first + kBatch); ++i) {
        batch.push_back(
            {PointId(uint64_t{order[i]}), {{"v", placed_[order[i]]}}, ""});
      }
      RETURN_IF_ERROR(collection.Upsert(std::move(batch), context_).status());
    }
    return collection.SealAndWait(context_);
  }

  absl::StatusOr<SearchResult> Search(const Collection& collection,
                                      uint32_t query, uint32_t ef) const {
    const auto row = queries_.row(query);
    SearchQuery search;
    search.sources.emplace_back(DenseSource{
        "", std::vector<float>(row.begin(), row.end()), ef, ef == 0});
    search.limit = kHits;
    return collection.Search(search, context_);
  }

  absl::StatusOr<Measured> Measure(const Collection& collection) const {
    Measured measured;
    for (uint32_t query = 0; query < queries_.rows(); ++query) {
      ASSIGN_OR_RETURN(const SearchResult exact, Search(collection, query, 0));
      ASSIGN_OR_RETURN(const SearchResult found,
                       Search(collection, query, kEf));
      measured.recall += static_cast<double>(
          std::ranges::count_if(found.hits, [&exact](const Hit& hit) {
            return hit.score >= exact.hits.back().score;
          }));
      measured.distances += static_cast<double>(found.stages[0].distances);
    }
    measured.recall /= double{kHits} * queries_.rows();
    measured.distances /= queries_.rows();
    const IndexStats index = collection.Info().index;
    measured.bytes = index.sealed_bytes + index.growing_bytes;
    return measured;
  }

  const RequestContext context_;
  const TempDir folder_;
  std::mt19937_64 random_{kTestSeed};
  TestVectors points_{kTestDimension, {}};
  TestVectors queries_{kTestDimension, {}};
  std::vector<std::vector<float>> placed_;  // by id
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> churned_;
  std::shared_ptr<Collection> fresh_;
};

TEST_F(ChurnTest, TenRoundsOfReplacingAllPointsLeaveAnIndexLikeAFreshOne) {
  ASSERT_OK(ReplaceAll());
  for (uint32_t round = 1; round <= kRounds; ++round) {
    ASSERT_OK(ReplaceAll());
  }
  ASSERT_OK(WriteAll(*fresh_));
  ASSERT_OK_AND_ASSIGN(const Measured churned, Measure(*churned_));
  ASSERT_OK_AND_ASSIGN(const Measured fresh, Measure(*fresh_));
  SCOPED_TRACE("seed " + std::to_string(kTestSeed));
  EXPECT_GE(churned.recall, 0.95);
  EXPECT_GE(churned.recall, fresh.recall - 0.005);
  EXPECT_LE(churned.distances, fresh.distances * 1.1);
  EXPECT_LE(static_cast<double>(churned.bytes),
            1.3 * static_cast<double>(fresh.bytes));
  RecordProperty("recall_churned", std::to_string(churned.recall));
  RecordProperty("recall_fresh", std::to_string(fresh.recall));
  RecordProperty("distances", std::to_string(churned.distances) + " against " +
                                  std::to_string(fresh.distances));
  RecordProperty("bytes", std::to_string(churned.bytes) + " against " +
                              std::to_string(fresh.bytes));
  const CollectionInfo info = churned_->Info();
  EXPECT_EQ(info.point_count, points_.rows());
  EXPECT_EQ(info.index.rebuilds, 0U);
}

}  // namespace
}  // namespace sextant
