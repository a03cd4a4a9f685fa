// SPDX-License-Identifier: Apache-2.0
#include "index/growing_vectors.h"

#include <vector>

#include "base/status_matchers.h"
#include "index/test_vectors.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 23;

TEST(GrowingVectorsTest, KeepsRowsAndOrdinals) {
  const VectorShape shape{Metric::kL2, 5};
  const TestVectors vectors = ClusteredVectors(shape, 1000, 3, kTestSeed);
  GrowingVectors growing(shape, 1000);
  for (uint32_t row = 0; row < vectors.rows(); ++row) {
    growing.Append(vectors.row(row), row * 2);
  }
  ASSERT_EQ(growing.rows(), 1000U);
  for (uint32_t row = 0; row < vectors.rows(); ++row) {
    const float* got = growing.row_vector(row);
    EXPECT_TRUE(std::ranges::equal(std::span(got, 5), vectors.row(row)));
    EXPECT_EQ(growing.row_ordinal(row), row * 2);
  }
}

TEST(GrowingVectorsTest, MemoryFollowsTheRows) {
  const VectorShape shape{Metric::kCosine, 512};
  GrowingVectors growing(shape, 1U << 20);
  EXPECT_LT(growing.size_bytes(), 8U << 10);
  const std::vector<float> vector(512, 0.1F);
  for (uint32_t row = 0; row < 3; ++row) {
    growing.Append(vector, row);
  }
  EXPECT_LT(growing.size_bytes(), 32U << 10);
  GrowingVectors full(shape, 100);
  for (uint32_t row = 0; row < 100; ++row) {
    full.Append(vector, row);
  }
  // The last chunk ends at max_rows.
  EXPECT_LT(full.size_bytes(), (100 * 512 * 4) + (16U << 10));
}

TEST(GrowingVectorsTest, ScansWhatIsVisibleAndLives) {
  const VectorShape shape{Metric::kL2, 1};
  GrowingVectors growing(shape, 100);
  for (uint32_t row = 0; row < 100; ++row) {
    growing.Append(std::vector<float>{static_cast<float>(row)}, row + 1000);
  }
  const RowSet dead = RowSet().With(std::vector<Ordinal>{1000, 1002}, 1100);
  const std::vector<float> query = {0};
  TopK top(3);
  SearchWork work;
  ASSERT_OK(growing.Scan(query, 5, dead, RequestContext(), top, work));
  const std::vector<ScoredRow> rows = top.TakeSorted();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].row, 1001U);
  EXPECT_EQ(rows[0].score, -1);
  EXPECT_EQ(rows[1].row, 1003U);
  EXPECT_EQ(rows[2].row, 1004U);
  EXPECT_EQ(work.distances, 3U);
}

TEST(GrowingVectorsTest, ACancelledScanStops) {
  const VectorShape shape{Metric::kL2, 1};
  GrowingVectors growing(shape, 10);
  const std::vector<float> query = {0};
  growing.Append(query, 0);
  RequestContext context;
  context.Cancel();
  TopK top(1);
  SearchWork work;
  EXPECT_THAT(growing.Scan(query, 1, RowSet(), context, top, work),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace sextant
