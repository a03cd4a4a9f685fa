// SPDX-License-Identifier: Apache-2.0
#include "index/vector_index_builder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "index/frozen_graph.h"
#include "index/test_vectors.h"

namespace sextant {
namespace {

using testing::HasSubstr;

constexpr uint64_t kTestSeed = 41;

// A built index and its bytes.
struct Index {
  BuiltVectorIndex bytes;
  std::unique_ptr<VectorIndex> index;
};

Index MustBuildGraph(const VectorIndexInput& input) {
  const RequestContext context;
  absl::StatusOr<BuiltVectorIndex> built =
      BuildVectorIndex(input, nullptr, context, nullptr);
  EXPECT_OK(built);
  Index result{*std::move(built), nullptr};
  const uint32_t ordinals =
      input.rows.empty() ? 0 : input.rows.back().ordinal + 1;
  auto index = VectorIndex::Open(input.shape, ordinals, result.bytes.view());
  EXPECT_OK(index);
  result.index = *std::move(index);
  return result;
}

FrozenGraph GraphOf(const Index& built) {
  absl::StatusOr<FrozenGraph> graph =
      FrozenGraph::Open(built.bytes.graph, built.index->rows());
  EXPECT_OK(graph);
  return *graph;
}

// Nodes that level 0 reaches from the entry.
uint32_t Reached(const FrozenGraph& graph) {
  std::vector<bool> seen(graph.nodes(), false);
  std::vector<uint32_t> order = {0};
  seen[0] = true;
  for (size_t i = 0; i < order.size(); ++i) {
    for (const uint32_t to : graph.level0(order[i])) {
      if (to == kNoNode) {
        break;
      }
      if (!seen[to]) {
        seen[to] = true;
        order.push_back(to);
      }
    }
  }
  return static_cast<uint32_t>(order.size());
}

// Every ordinal once, with its own vector.
void ExpectHoldsExactly(const Index& built, const VectorIndexInput& input) {
  ASSERT_EQ(built.index->rows(), input.rows.size());
  std::vector<const float*> expected(input.rows.back().ordinal + 1, nullptr);
  for (const VectorIndexInput::Row& row : input.rows) {
    expected[row.ordinal] = row.vector;
  }
  for (uint32_t row = 0; row < built.index->rows(); ++row) {
    const Ordinal ordinal = built.index->row_ordinal(row);
    ASSERT_NE(expected[ordinal], nullptr) << "ordinal " << ordinal;
    ASSERT_TRUE(std::equal(expected[ordinal],
                           expected[ordinal] + input.shape.dimension,
                           built.index->row_vector(row)));
    expected[ordinal] = nullptr;
  }
}

TEST(BuildTest, SmallInputGetsNoGraph) {
  const VectorShape shape{Metric::kL2, 3};
  const TestVectors vectors = ClusteredVectors(shape, 99, 3, kTestSeed);
  VectorIndexInput input = TestInput(shape, vectors);
  input.min_graph_rows = 100;
  const Index built = MustBuildGraph(input);
  EXPECT_FALSE(built.index->has_graph());
  ExpectHoldsExactly(built, input);
}

TEST(BuildTest, NoRowsAtAll) {
  VectorIndexInput input;
  input.shape = {Metric::kL2, 3};
  input.min_graph_rows = 0;
  const Index built = MustBuildGraph(input);
  EXPECT_EQ(built.index->rows(), 0U);
  EXPECT_FALSE(built.index->has_graph());
  TopK top(3);
  SearchWork work;
  const std::vector<float> query = {1, 2, 3};
  EXPECT_OK(built.index->Scan(query, RowSet(), RequestContext(), top, work));
  EXPECT_EQ(top.size(), 0U);
}

TEST(BuildTest, TinyGraphsWork) {
  const VectorShape shape{Metric::kCosine, 7};
  for (const uint32_t rows : {1U, 2U, 3U, 17U, 40U}) {
    const TestVectors vectors = ClusteredVectors(shape, rows, 1, kTestSeed);
    const VectorIndexInput input = TestInput(shape, vectors);
    const Index built = MustBuildGraph(input);
    ExpectHoldsExactly(built, input);
    ASSERT_TRUE(built.index->has_graph());
    EXPECT_EQ(Reached(GraphOf(built)), rows);
    EXPECT_EQ(SearchRecall(*built.index, vectors, {.ef = 100}, RowSet()), 1.0);
  }
}

TEST(BuildTest, OneThreadGivesTheSameBytesEveryTime) {
  const VectorShape shape{Metric::kL2, 16};
  const TestVectors vectors = ClusteredVectors(shape, 1500, 5, kTestSeed);
  const VectorIndexInput input = TestInput(shape, vectors);
  const Index a = MustBuildGraph(input);
  const Index b = MustBuildGraph(input);
  EXPECT_EQ(absl::string_view(a.bytes.graph), absl::string_view(b.bytes.graph));
  EXPECT_EQ(absl::string_view(a.bytes.vectors),
            absl::string_view(b.bytes.vectors));
  EXPECT_EQ(absl::string_view(a.bytes.ordinals),
            absl::string_view(b.bytes.ordinals));
}

TEST(BuildTest, ProgressEndsAtTheTotal) {
  const VectorShape shape{Metric::kL2, 4};
  const TestVectors vectors = ClusteredVectors(shape, 500, 5, kTestSeed);
  BuildProgress progress;
  EXPECT_OK(BuildVectorIndex(TestInput(shape, vectors), nullptr,
                             RequestContext(), &progress));
  EXPECT_EQ(progress.rows_total.load(), 500U);
  EXPECT_EQ(progress.rows_done.load(), 500U);
}

TEST(BuildTest, CancellingEndsTheBuild) {
  const VectorShape shape{Metric::kL2, 4};
  const TestVectors vectors = ClusteredVectors(shape, 500, 5, kTestSeed);
  RequestContextOptions options;
  int polls = 0;
  options.is_cancelled = [&polls]() { return ++polls > 3; };
  const RequestContext context(options);
  EXPECT_THAT(
      BuildVectorIndex(TestInput(shape, vectors), nullptr, context, nullptr),
      StatusIs(absl::StatusCode::kCancelled));
}

TEST(BuildTest, ImpossibleInputIsRefused) {
  const VectorShape shape{Metric::kL2, 4};
  const TestVectors vectors = ClusteredVectors(shape, 3, 1, kTestSeed);
  const auto build = [](const VectorIndexInput& input) {
    return BuildVectorIndex(input, nullptr, RequestContext(), nullptr);
  };
  VectorIndexInput input = TestInput(shape, vectors);
  input.graph.m = 1;
  EXPECT_THAT(build(input), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("m: expected 2 to")));
  input = TestInput(shape, vectors);
  input.rows[1].ordinal = 0;
  EXPECT_THAT(build(input), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("does not ascend")));
  input = TestInput({Metric::kL2, 0}, {1, {}});
  EXPECT_THAT(build(input), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("dimension")));
}

TEST(BuildTest, NumbersThatOverflowDoNoHarm) {
  const VectorShape shape{Metric::kInnerProduct, 8};
  TestVectors vectors = ClusteredVectors(shape, 300, 5, kTestSeed);
  for (size_t i = 0; i < vectors.numbers.size(); i += 3) {
    vectors.numbers[i] *= 1e38F;
  }
  const VectorIndexInput input = TestInput(shape, vectors);
  const Index built = MustBuildGraph(input);
  ExpectHoldsExactly(built, input);
  EXPECT_EQ(Reached(GraphOf(built)), 300U);
  TopK top(10);
  SearchWork work;
  EXPECT_OK(built.index->Search(vectors.row(0), {.ef = 50}, RowSet(),
                                RequestContext(), top, work));
}

TEST(BuildTest, EqualVectorsAreOneNode) {
  const VectorShape shape{Metric::kL2, 8};
  TestVectors vectors = ClusteredVectors(shape, 300, 5, kTestSeed);
  const TestVectors originals = vectors;
  for (uint32_t copy = 0; copy < 2000; ++copy) {
    vectors.Append(originals.row(copy % 3));
  }
  const VectorIndexInput input = TestInput(shape, vectors);
  const Index built = MustBuildGraph(input);
  ExpectHoldsExactly(built, input);
  const FrozenGraph graph = GraphOf(built);
  EXPECT_EQ(graph.nodes(), 300U);
  EXPECT_EQ(Reached(graph), 300U);
  for (uint32_t row = 0; row < built.index->rows(); ++row) {
    EXPECT_TRUE(std::equal(built.index->row_vector(row),
                           built.index->row_vector(row) + 8,
                           built.index->row_vector(graph.node_of(row))));
  }
  // The copies come out in the order of their ordinals; dead ones do not.
  std::vector<Ordinal> dead = {0, 300};
  TopK top(4);
  SearchWork work;
  ASSERT_OK(built.index->Search(originals.row(0), {.ef = 10},
                                RowSet().With(dead, vectors.rows()),
                                RequestContext(), top, work));
  const std::vector<ScoredRow> rows = top.TakeSorted();
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].row, 303U);
  EXPECT_EQ(rows[1].row, 306U);
  EXPECT_EQ(rows[3].row, 312U);
}

// The input of a merge: the rows of `all` that `keeps` names, over `base`.
VectorIndexInput MergeInput(const VectorShape& shape, const TestVectors& all,
                            const std::vector<bool>& keeps,
                            const VectorIndex* base) {
  VectorIndexInput input;
  input.shape = shape;
  input.min_graph_rows = 0;
  input.base = base;
  for (uint32_t row = 0; row < all.rows(); ++row) {
    if (keeps[row]) {
      input.rows.push_back({all.row(row).data(), row});
    }
  }
  return input;
}

TEST(CloneTest, ExtendsAGraph) {
  const VectorShape shape{Metric::kL2, 16};
  const TestVectors all = ClusteredVectors(shape, 3000, 20, kTestSeed);
  const TestVectors queries = ClusteredVectors(shape, 50, 20, kTestSeed);
  std::vector<bool> keeps(all.rows(), false);
  // Whole clusters are missing at first.
  std::fill_n(keeps.begin(), 2000, true);
  const Index base = MustBuildGraph(MergeInput(shape, all, keeps, nullptr));
  keeps.assign(all.rows(), true);
  const VectorIndexInput input =
      MergeInput(shape, all, keeps, base.index.get());
  const Index built = MustBuildGraph(input);
  ExpectHoldsExactly(built, input);
  EXPECT_EQ(Reached(GraphOf(built)), all.rows());
  EXPECT_GE(SearchRecall(*built.index, queries, {.ef = 100}, RowSet()), 0.98);
}

TEST(CloneTest, AnUnchangedVectorKeepsItsNode) {
  const VectorShape shape{Metric::kCosine, 16};
  const TestVectors all = ClusteredVectors(shape, 2000, 20, kTestSeed);
  const std::vector<bool> keeps(all.rows(), true);
  const Index base = MustBuildGraph(MergeInput(shape, all, keeps, nullptr));
  // All points were overwritten, with new ordinals, but not their vectors.
  VectorIndexInput input = MergeInput(shape, all, keeps, base.index.get());
  for (VectorIndexInput::Row& row : input.rows) {
    row.ordinal += 5000;
  }
  BuildProgress progress;
  ASSERT_OK_AND_ASSIGN(
      const BuiltVectorIndex built,
      BuildVectorIndex(input, nullptr, RequestContext(), &progress));
  EXPECT_EQ(absl::string_view(built.graph),
            absl::string_view(base.bytes.graph));
}

TEST(CloneTest, HeavyChurnLeavesNoRowBehind) {
  const VectorShape shape{Metric::kL2, 16};
  constexpr uint32_t kTestRows = 2500;
  constexpr uint32_t kRounds = 6;
  const TestVectors all =
      ClusteredVectors(shape, kTestRows * (kRounds + 1), 40, kTestSeed);
  const TestVectors queries = ClusteredVectors(shape, 60, 40, kTestSeed);
  std::mt19937_64 random(kTestSeed);
  std::vector<bool> keeps(all.rows(), false);
  for (uint32_t i = 0; i < kTestRows; ++i) {
    keeps[random() % all.rows()] = true;
  }
  Index current = MustBuildGraph(MergeInput(shape, all, keeps, nullptr));
  for (uint32_t round = 0; round < kRounds; ++round) {
    // A third of the rows goes, whole neighbourhoods among them, and as many
    // come.
    const auto gone = random() % 40;
    for (uint32_t row = 0; row < all.rows(); ++row) {
      if (row / (all.rows() / 40) == gone || random() % 3 == 0) {
        keeps[row] = false;
      }
    }
    for (uint32_t i = 0; i < kTestRows / 3; ++i) {
      keeps[random() % all.rows()] = true;
    }
    const VectorIndexInput input =
        MergeInput(shape, all, keeps, current.index.get());
    Index next = MustBuildGraph(input);
    ExpectHoldsExactly(next, input);
    EXPECT_EQ(Reached(GraphOf(next)), input.rows.size())
        << "round " << round << " seed " << kTestSeed;
    EXPECT_GE(SearchRecall(*next.index, queries, {.ef = 100}, RowSet()), 0.97)
        << "round " << round << " seed " << kTestSeed;
    current = std::move(next);
  }
}

TEST(CloneTest, AnotherFormOfGraphIsBuiltAnew) {
  const VectorShape shape{Metric::kL2, 16};
  const TestVectors all = ClusteredVectors(shape, 500, 20, kTestSeed);
  const std::vector<bool> keeps(all.rows(), true);
  const Index base = MustBuildGraph(MergeInput(shape, all, keeps, nullptr));
  VectorIndexInput input = MergeInput(shape, all, keeps, base.index.get());
  input.graph.m = 8;
  EXPECT_EQ(GraphOf(MustBuildGraph(input)).sizes().m, 8U);
  // Nothing of the base is left.
  const TestVectors fresh = ClusteredVectors(shape, 300, 2, kTestSeed + 1);
  input = TestInput(shape, fresh);
  input.base = base.index.get();
  ExpectHoldsExactly(MustBuildGraph(input), input);
}

}  // namespace
}  // namespace sextant
