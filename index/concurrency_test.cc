// SPDX-License-Identifier: Apache-2.0
// What several threads do at once; the rest of the unit tests use one. Also run
// under ThreadSanitizer.
#include <atomic>
#include <memory>
#include <vector>

#include "base/status_matchers.h"
#include "base/thread.h"
#include "base/thread_pool.h"
#include "index/growing_vectors.h"
#include "index/link_lists.h"
#include "index/test_vectors.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 29;

TEST(ConcurrencyTest, ReadersScanWhileTheWriterAppends) {
  const VectorShape shape{Metric::kL2, 2};
  constexpr uint32_t kTestRows = 3000;
  GrowingVectors growing(shape, kTestRows);
  std::atomic<uint32_t> published{0};
  Thread reader("reader", [&]() {
    const std::vector<float> query = {0, 0};
    for (uint32_t visible = 0; visible < kTestRows;) {
      visible = published.load(std::memory_order_acquire);
      TopK top(1);
      SearchWork work;
      EXPECT_OK(
          growing.Scan(query, visible, RowSet(), RequestContext(), top, work));
      const std::vector<ScoredRow> rows = top.TakeSorted();
      ASSERT_EQ(rows.size(), visible == 0 ? 0U : 1U);
      if (visible > 0) {
        EXPECT_EQ(rows[0].row, 0U);
        EXPECT_EQ(work.distances, visible);
      }
    }
  });
  for (uint32_t row = 0; row < kTestRows; ++row) {
    growing.Append(std::vector<float>{static_cast<float>(row), 1}, row);
    published.store(row + 1, std::memory_order_release);
  }
}

TEST(ConcurrencyTest, AListIsReadWhileItIsWritten) {
  static constexpr uint32_t kNodes = 64;
  constexpr uint32_t kRounds = 2000;
  LinkLists lists(kNodes, 4);
  lists.Add(0, 0);
  std::atomic<bool> done{false};
  Thread reader("reader", [&]() {
    while (!done.load()) {
      uint32_t links = 0;
      lists.ForEach(0, 0, [&links](uint32_t to) {
        ASSERT_LT(to, kNodes);
        ++links;
      });
      EXPECT_LE(links, lists.max_links(0));
    }
  });
  for (uint32_t round = 0; round < kRounds; ++round) {
    const MutexLock lock(&lists.mutex(0));
    if (!lists.Append(0, 0, 1 + round % (kNodes - 1))) {
      lists.Set(0, 0, std::vector<uint32_t>{round % kNodes, 1, 2});
    }
  }
  done = true;
}

TEST(ConcurrencyTest, ThreadsBuildCloneAndSearchTogether) {
  const VectorShape shape{Metric::kL2, 16};
  const TestVectors vectors = ClusteredVectors(shape, 1500, 20, kTestSeed);
  const TestVectors queries = ClusteredVectors(shape, 20, 20, kTestSeed);
  ThreadPool pool({.name = "build", .threads = 4});
  const RequestContext context;
  VectorIndexInput input = TestInput(shape, vectors);
  // Every third row comes with the clone.
  std::erase_if(input.rows, [](const VectorIndexInput::Row& row) {
    return row.ordinal % 3 == 0;
  });
  ASSERT_OK_AND_ASSIGN(const BuiltVectorIndex first,
                       BuildVectorIndex(input, &pool, context, nullptr));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorIndex> base,
                       VectorIndex::Open(shape, vectors.rows(), first.view()));
  // And every fifth goes, while others search.
  VectorIndexInput next = TestInput(shape, vectors);
  std::erase_if(next.rows, [](const VectorIndexInput::Row& row) {
    return row.ordinal % 5 == 0;
  });
  next.base = base.get();
  std::atomic<bool> done{false};
  const auto search = [&]() {
    do {
      EXPECT_GE(SearchRecall(*base, queries, {.ef = 100}, RowSet()), 0.98);
    } while (!done.load());
  };
  absl::StatusOr<BuiltVectorIndex> second;
  {
    const Thread one("search-1", search);
    const Thread two("search-2", search);
    second = BuildVectorIndex(next, &pool, context, nullptr);
    done = true;
  }
  ASSERT_OK(second);
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<VectorIndex> index,
      VectorIndex::Open(shape, vectors.rows(), second->view()));
  EXPECT_EQ(index->rows(), next.rows.size());
  EXPECT_GE(SearchRecall(*index, queries, {.ef = 100}, RowSet()), 0.98);
}

}  // namespace
}  // namespace sextant
