// SPDX-License-Identifier: Apache-2.0
#include "index/vector_index.h"

#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/status_matchers.h"
#include "index/test_vectors.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

using testing::HasSubstr;

constexpr uint64_t kTestSeed = 7;

BuiltVectorIndex MustBuild(const VectorIndexInput& input) {
  absl::StatusOr<BuiltVectorIndex> built =
      BuildVectorIndex(input, nullptr, RequestContext(), nullptr);
  EXPECT_OK(built);
  return *std::move(built);
}

std::unique_ptr<VectorIndex> MustOpen(VectorShape shape, uint32_t ordinals,
                                      const BuiltVectorIndex& built) {
  auto index = VectorIndex::Open(shape, ordinals, built.view());
  EXPECT_OK(index);
  return *std::move(index);
}

struct MetricCase {
  std::string name;
  Metric metric;
};

class VectorIndexMetricTest : public testing::TestWithParam<MetricCase> {};

TEST_P(VectorIndexMetricTest, ScanAndSearchGiveTheSameScores) {
  const VectorShape shape{GetParam().metric, 24};
  const TestVectors vectors = ClusteredVectors(shape, 1500, 20, kTestSeed);
  const TestVectors queries = ClusteredVectors(shape, 30, 20, kTestSeed);
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  const auto index = MustOpen(shape, vectors.rows(), built);
  for (uint32_t i = 0; i < queries.rows(); ++i) {
    SearchWork work;
    TopK scanned(5);
    TopK searched(5);
    ASSERT_OK(
        index->Scan(queries.row(i), RowSet(), RequestContext(), scanned, work));
    ASSERT_OK(index->Search(queries.row(i), {.ef = 1500}, RowSet(),
                            RequestContext(), searched, work));
    const std::vector<ScoredRow> a = scanned.TakeSorted();
    const std::vector<ScoredRow> b = searched.TakeSorted();
    ASSERT_EQ(a.size(), b.size());
    for (size_t j = 0; j < a.size(); ++j) {
      EXPECT_EQ(a[j].row, b[j].row);
      EXPECT_EQ(a[j].score, b[j].score);
      EXPECT_EQ(a[j].score,
                TestScore(shape.metric, queries.row(i), vectors.row(a[j].row)));
    }
  }
}

TEST_P(VectorIndexMetricTest, BothFormsOfTheBeamFindTheSame) {
  const VectorShape shape{GetParam().metric, 24};
  const TestVectors vectors = ClusteredVectors(shape, 3000, 20, kTestSeed);
  const TestVectors queries = ClusteredVectors(shape, 30, 20, kTestSeed);
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  const auto index = MustOpen(shape, vectors.rows(), built);
  // 512 is sorted, 513 a heap: one entry more must hardly change the work.
  for (uint32_t i = 0; i < queries.rows(); ++i) {
    SearchWork sorted_work;
    SearchWork heap_work;
    TopK sorted(10);
    TopK heap(10);
    ASSERT_OK(index->Search(queries.row(i), {.ef = 512}, RowSet(),
                            RequestContext(), sorted, sorted_work));
    ASSERT_OK(index->Search(queries.row(i), {.ef = 513}, RowSet(),
                            RequestContext(), heap, heap_work));
    EXPECT_LE(sorted_work.distances, heap_work.distances);
    EXPECT_LE(heap_work.hops, sorted_work.hops + 8);
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, VectorIndexMetricTest,
                         testing::Values(MetricCase{"cosine", Metric::kCosine},
                                         MetricCase{"inner_product",
                                                    Metric::kInnerProduct},
                                         MetricCase{"l2", Metric::kL2}),
                         [](const auto& test) { return test.param.name; });

TEST(VectorIndexTest, DeadRowsAreWalkedThroughButNeverOffered) {
  const VectorShape shape{Metric::kL2, 16};
  const TestVectors vectors = ClusteredVectors(shape, 3000, 20, kTestSeed);
  const TestVectors queries = ClusteredVectors(shape, 40, 20, kTestSeed);
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  const auto index = MustOpen(shape, vectors.rows(), built);
  // Nine of ten rows are dead: the answers lie behind them.
  std::vector<Ordinal> dead_rows;
  for (Ordinal row = 0; row < vectors.rows(); ++row) {
    if (row % 10 != 0) {
      dead_rows.push_back(row);
    }
  }
  const RowSet dead = RowSet().With(dead_rows, vectors.rows());
  for (const uint32_t ef : {20U, 600U}) {
    EXPECT_GE(SearchRecall(*index, queries, {.ef = ef}, dead), 0.95)
        << "ef " << ef;
    TopK top(1000);
    SearchWork work;
    ASSERT_OK(index->Search(queries.row(0), {.ef = ef}, dead, RequestContext(),
                            top, work));
    const std::vector<ScoredRow> rows = top.TakeSorted();
    EXPECT_GE(rows.size(), 250U);
    for (const ScoredRow& row : rows) {
      EXPECT_EQ(row.row % 10, 0U);
    }
  }
}

TEST(VectorIndexTest, ScanOfSomeOrdinalsOffersThemAlone) {
  const VectorShape shape{Metric::kL2, 16};
  const TestVectors vectors = ClusteredVectors(shape, 3000, 20, kTestSeed);
  VectorIndexInput input = TestInput(shape, vectors);
  // Every second point has no vector.
  for (VectorIndexInput::Row& row : input.rows) {
    row.ordinal *= 2;
  }
  const BuiltVectorIndex built = MustBuild(input);
  const auto index = MustOpen(shape, 2 * vectors.rows(), built);
  std::vector<Ordinal> some;
  for (Ordinal ordinal = 1; ordinal < 2 * vectors.rows(); ordinal += 5) {
    some.push_back(ordinal);
  }
  std::vector<Ordinal> others;
  for (Ordinal ordinal = 0; ordinal < 2 * vectors.rows(); ++ordinal) {
    if (ordinal % 5 != 1) {
      others.push_back(ordinal);
    }
  }
  const RowSet left_out = RowSet().With(others, 2 * vectors.rows());
  for (const size_t k : {size_t{10}, size_t{5000}}) {
    SearchWork work;
    TopK found(k);
    TopK expected(k);
    ASSERT_OK(index->ScanOrdinals(vectors.row(7), some, RequestContext(), found,
                                  work));
    EXPECT_EQ(work.distances, 600U);
    ASSERT_OK(index->Scan(vectors.row(7), left_out, RequestContext(), expected,
                          work));
    const std::vector<ScoredRow> a = found.TakeSorted();
    const std::vector<ScoredRow> b = expected.TakeSorted();
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].row, b[i].row);
      EXPECT_EQ(a[i].score, b[i].score);
    }
  }
}

TEST(VectorIndexTest, AllRowsDeadIsAnEmptyAnswer) {
  const VectorShape shape{Metric::kL2, 4};
  const TestVectors vectors = ClusteredVectors(shape, 300, 2, kTestSeed);
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  const auto index = MustOpen(shape, vectors.rows(), built);
  std::vector<Ordinal> all(vectors.rows());
  for (Ordinal row = 0; row < all.size(); ++row) {
    all[row] = row;
  }
  TopK top(3);
  SearchWork work;
  EXPECT_OK(index->Search(vectors.row(0), {.ef = 10},
                          RowSet().With(all, vectors.rows()), RequestContext(),
                          top, work));
  EXPECT_EQ(top.size(), 0U);
}

TEST(VectorIndexTest, ASearchPollsItsContext) {
  const VectorShape shape{Metric::kL2, 16};
  const TestVectors vectors = ClusteredVectors(shape, 3000, 2, kTestSeed);
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  const auto index = MustOpen(shape, vectors.rows(), built);
  RequestContextOptions options;
  int polls = 0;
  options.is_cancelled = [&polls]() { return ++polls > 2; };
  const RequestContext context(options);
  TopK top(3);
  SearchWork work;
  EXPECT_THAT(
      index->Search(vectors.row(0), {.ef = 3000}, RowSet(), context, top, work),
      StatusIs(absl::StatusCode::kCancelled));
  EXPECT_LT(work.distances, 2500U);
  EXPECT_THAT(index->Scan(vectors.row(0), RowSet(), context, top, work),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST(VectorIndexTest, AHugeKOrEfCostsWhatTheRowsCost) {
  const VectorShape shape{Metric::kL2, 4};
  const TestVectors vectors = ClusteredVectors(shape, 300, 2, kTestSeed);
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  const auto index = MustOpen(shape, vectors.rows(), built);
  TopK top(size_t{1} << 31);
  SearchWork work;
  EXPECT_OK(index->Search(vectors.row(0), {.ef = 0xFFFFFFFF}, RowSet(),
                          RequestContext(), top, work));
  EXPECT_EQ(top.size(), 300U);
}

TEST(VectorIndexTest, ACopyInHugePagesNeedsTheBytesNoMore) {
  const VectorShape shape{Metric::kL2, 768};
  const TestVectors vectors = ClusteredVectors(shape, 3000, 2, kTestSeed);
  VectorIndexInput input = TestInput(shape, vectors);
  input.min_graph_rows = 1U << 20;
  BuiltVectorIndex built = MustBuild(input);
  const uint64_t size = built.vectors.size() + built.ordinals.size();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorIndex> index,
                       VectorIndex::Open(shape, vectors.rows(), built.view(),
                                         Placement::kHugePages));
  built = {};
  EXPECT_EQ(index->owned_bytes(), size);
  TopK top(1);
  SearchWork work;
  ASSERT_OK(
      index->Scan(vectors.row(77), RowSet(), RequestContext(), top, work));
  EXPECT_EQ(top.TakeSorted()[0].row, 77U);
}

TEST(VectorIndexTest, VectorsMayStayWhereTheyAre) {
  const VectorShape shape{Metric::kL2, 100};
  const TestVectors vectors = ClusteredVectors(shape, 30000, 10, kTestSeed);
  VectorIndexInput input = TestInput(shape, vectors);
  input.min_graph_rows = 1U << 20;
  const BuiltVectorIndex built = MustBuild(input);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorIndex> index,
                       VectorIndex::Open(shape, vectors.rows(), built.view(),
                                         Placement::kHugePagesButVectors));
  EXPECT_EQ(index->owned_bytes(), built.ordinals.size());
  EXPECT_EQ(index->row_vector(0),
            reinterpret_cast<const float*>(built.vectors.data()));
  const IndexMemory memory = index->memory();
  EXPECT_EQ(memory.vectors_mapped, built.vectors.size());
  EXPECT_EQ(memory.vectors_in_memory, 0U);
  EXPECT_EQ(memory.ordinals, built.ordinals.size());
  EXPECT_EQ(memory.graph + memory.codes, 0U);
}

class ScoringByCodesTest
    : public testing::TestWithParam<std::tuple<Metric, Encoding>> {};

// The floats are not numbers: whoever reads them has no scores.
TEST_P(ScoringByCodesTest, ReadsNoFloats) {
  const auto [metric, encoding] = GetParam();
  const VectorShape shape{metric, 96};
  const TestVectors vectors = ClusteredVectors(shape, 1500, 10, kTestSeed);
  VectorIndexInput input = TestInput(shape, vectors);
  input.encoding = encoding;
  input.scoring = Scoring::kCodes;
  const BuiltVectorIndex built = MustBuild(input);
  std::vector<float> no_floats(built.vectors.size() / sizeof(float),
                               std::numeric_limits<float>::quiet_NaN());
  VectorIndexBytes bytes = built.view();
  bytes.vectors = {reinterpret_cast<const char*>(no_floats.data()),
                   built.vectors.size()};
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorIndex> index,
                       VectorIndex::Open(shape, vectors.rows(), bytes,
                                         Placement::kInPlace, Scoring::kCodes));
  EXPECT_TRUE(index->scores_by_codes());
  EXPECT_EQ(index->memory().vectors_on_disk, built.vectors.size());
  EXPECT_EQ(index->memory().vectors_mapped, 0U);
  // A tenth of the squared length of a row, for the coarsest codes.
  const float tolerance =
      0.1F * Kernels().inner_product(vectors.row(0).data(),
                                     vectors.row(0).data(), shape.dimension);
  for (uint32_t row = 0; row < vectors.rows(); row += 50) {
    TopK top(10);
    SearchWork work;
    ASSERT_OK(index->Search(vectors.row(row), {.ef = 100}, RowSet(),
                            RequestContext(), top, work));
    const std::vector<ScoredRow> hits = top.TakeSorted();
    ASSERT_EQ(hits.size(), 10U);
    for (const ScoredRow& hit : hits) {
      EXPECT_NEAR(hit.score,
                  TestScore(metric, vectors.row(row), vectors.row(hit.row)),
                  encoding == Encoding::kBinary ? 4 * tolerance : tolerance)
          << "row " << row << ", seed " << kTestSeed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ScoringByCodesTest,
    testing::Combine(testing::Values(Metric::kCosine, Metric::kInnerProduct,
                                     Metric::kL2),
                     testing::Values(Encoding::kBf16, Encoding::kInt8,
                                     Encoding::kInt4, Encoding::kBinary)));

TEST(VectorIndexTest, WithoutCodesThereIsNothingElseToScoreBy) {
  const VectorShape shape{Metric::kL2, 8};
  const TestVectors vectors = ClusteredVectors(shape, 300, 2, kTestSeed);
  VectorIndexInput input = TestInput(shape, vectors);
  input.encoding = Encoding::kFloat;
  const BuiltVectorIndex built = MustBuild(input);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorIndex> index,
                       VectorIndex::Open(shape, vectors.rows(), built.view(),
                                         Placement::kInPlace, Scoring::kCodes));
  EXPECT_FALSE(index->scores_by_codes());
  EXPECT_EQ(index->memory().vectors_mapped, built.vectors.size());
}

TEST(VectorIndexTest, SectionsThatDoNotFitAreDataLoss) {
  const VectorShape shape{Metric::kL2, 4};
  const TestVectors vectors = ClusteredVectors(shape, 300, 2, kTestSeed);
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  const VectorIndexBytes good = built.view();
  const auto open = [&](VectorShape wanted, uint32_t ordinals,
                        VectorIndexBytes bytes) {
    return VectorIndex::Open(wanted, ordinals, bytes).status();
  };
  EXPECT_OK(open(shape, 300, good));
  EXPECT_THAT(open(shape, 299, good), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(open({Metric::kL2, 17}, 300, good),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("dimension 17")));
  VectorIndexBytes bytes = good;
  bytes.vectors.remove_suffix(4);
  EXPECT_THAT(open(shape, 300, bytes), StatusIs(absl::StatusCode::kDataLoss));
  bytes = good;
  bytes.ordinals.remove_suffix(1);
  EXPECT_THAT(open(shape, 300, bytes), StatusIs(absl::StatusCode::kDataLoss));
  bytes = good;
  bytes.graph.remove_suffix(4);
  EXPECT_THAT(open(shape, 300, bytes), StatusIs(absl::StatusCode::kDataLoss));
  bytes = good;
  bytes.graph.remove_prefix(1);
  EXPECT_THAT(open(shape, 300, bytes),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// Whatever the bytes say, Open refuses them or every search stays inside.
// AddressSanitizer watches: the damaged copy ends where its bytes end.
TEST(VectorIndexTest, DamagedGraphsNeverLeadOutOfTheMemory) {
  const VectorShape shape{Metric::kL2, 4};
  TestVectors vectors = ClusteredVectors(shape, 400, 5, kTestSeed);
  for (uint32_t i = 0; i < 50; ++i) {
    const std::vector<float> copy(vectors.row(i % 7).begin(),
                                  vectors.row(i % 7).end());
    vectors.Append(copy);
  }
  const BuiltVectorIndex built = MustBuild(TestInput(shape, vectors));
  std::mt19937_64 random(kTestSeed);
  uint32_t opened = 0;
  for (int round = 0; round < 3000; ++round) {
    AlignedBytes damaged(built.graph.size());
    std::memcpy(damaged.data(), built.graph.data(), damaged.size());
    for (uint64_t hits = 1 + random() % 3; hits > 0; --hits) {
      // Half of the hits are in the header and the first lists.
      const uint64_t size = random() % 2 == 0
                                ? std::min<uint64_t>(256, damaged.size())
                                : damaged.size();
      const uint64_t word = random() % (size / 4);
      const uint32_t values[] = {static_cast<uint32_t>(random()),
                                 static_cast<uint32_t>(random() % 500), 0,
                                 0xFFFFFFFF};
      std::memcpy(damaged.data() + word * 4, &values[random() % 4], 4);
    }
    VectorIndexBytes bytes = built.view();
    bytes.graph = damaged;
    const auto index = VectorIndex::Open(shape, vectors.rows(), bytes);
    if (!index.ok()) {
      continue;
    }
    ++opened;
    TopK top(10);
    SearchWork work;
    EXPECT_OK((*index)->Search(vectors.row(0), {.ef = 50}, RowSet(),
                               RequestContext(), top, work));
    EXPECT_LE(work.distances, 100'000U) << "seed " << kTestSeed;
  }
  EXPECT_GT(opened, 100U);
}

}  // namespace
}  // namespace sextant
