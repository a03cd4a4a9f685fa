// SPDX-License-Identifier: Apache-2.0
// Steady state: ten rounds that each replace every point, in random order and
// with new numbers, as merges run. What searches find, the work they take and
// the memory of the index stay what they were.
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

constexpr uint64_t kSeed = 90210;
constexpr uint32_t kDimension = 32;
constexpr uint32_t kPoints = 6000;
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
    schema.vector_fields.push_back({"v", kDimension, Metric::kL2, {}});
    ASSERT_OK_AND_ASSIGN(docs_, database_->Create("docs", schema));
    const TestVectors all = ClusteredVectors(
        {Metric::kL2, kDimension}, kPoints + kQueries, 60, kSeed, 1.5F);
    for (uint32_t row = 0; row < all.rows(); ++row) {
      (row % (kPoints / kQueries + 1) == 0 ? queries_ : points_)
          .Append(all.row(row));
    }
  }
  void TearDown() override {
    docs_.reset();
    EXPECT_OK(database_->Close());
  }

  // Every point, a little elsewhere than it was ever before.
  absl::Status ReplaceAll() {
    std::vector<uint32_t> order(points_.rows());
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random_);
    std::normal_distribution<float> normal(0, 0.05F);
    for (size_t first = 0; first < order.size(); first += kBatch) {
      std::vector<Point> batch;
      for (size_t i = first; i < std::min(order.size(), first + kBatch); ++i) {
        const auto row = points_.row(order[i]);
        std::vector<float> vector(row.begin(), row.end());
        for (float& x : vector) {
          x += normal(random_);
        }
        batch.push_back(
            {PointId(uint64_t{order[i]}), {{"v", std::move(vector)}}, ""});
      }
      RETURN_IF_ERROR(docs_->Upsert(std::move(batch), context_).status());
    }
    return docs_->SealAndWait(context_);
  }

  absl::StatusOr<SearchResult> Search(uint32_t query, uint32_t ef) const {
    const auto row = queries_.row(query);
    SearchQuery search;
    search.sources.emplace_back(DenseSource{
        "", std::vector<float>(row.begin(), row.end()), ef, ef == 0});
    search.limit = kHits;
    return docs_->Search(search, context_);
  }

  absl::StatusOr<Measured> Measure() const {
    Measured measured;
    for (uint32_t query = 0; query < queries_.rows(); ++query) {
      ASSIGN_OR_RETURN(const SearchResult exact, Search(query, 0));
      ASSIGN_OR_RETURN(const SearchResult found, Search(query, kEf));
      measured.recall += static_cast<double>(
          std::ranges::count_if(found.hits, [&exact](const Hit& hit) {
            return hit.score >= exact.hits.back().score;
          }));
      measured.distances += static_cast<double>(found.stages[0].distances);
    }
    measured.recall /= double{kHits} * queries_.rows();
    measured.distances /= queries_.rows();
    const IndexStats index = docs_->Info().index;
    measured.bytes = index.sealed_bytes + index.growing_bytes;
    return measured;
  }

  const RequestContext context_;
  const TempDir folder_;
  std::mt19937_64 random_{kSeed};
  TestVectors points_{kDimension, {}};
  TestVectors queries_{kDimension, {}};
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> docs_;
};

TEST_F(ChurnTest, TenRoundsOfReplacingAllPointsChangeNothing) {
  ASSERT_OK(ReplaceAll());
  ASSERT_OK_AND_ASSIGN(const Measured start, Measure());
  EXPECT_GE(start.recall, 0.95);
  Measured last;
  for (uint32_t round = 1; round <= kRounds; ++round) {
    ASSERT_OK(ReplaceAll());
    ASSERT_OK_AND_ASSIGN(last, Measure());
    EXPECT_GE(last.recall, start.recall - 0.005)
        << "round " << round << " seed " << kSeed;
    EXPECT_LE(last.distances, start.distances * 1.1)
        << "round " << round << " seed " << kSeed;
    EXPECT_LE(static_cast<double>(last.bytes),
              1.3 * static_cast<double>(start.bytes))
        << "round " << round << " seed " << kSeed;
    RecordProperty("recall_" + std::to_string(round),
                   std::to_string(last.recall));
  }
  const CollectionInfo info = docs_->Info();
  EXPECT_EQ(info.point_count, points_.rows());
  EXPECT_EQ(info.index.rebuilds, 0U);
}

}  // namespace
}  // namespace sextant
