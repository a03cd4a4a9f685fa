// SPDX-License-Identifier: Apache-2.0
// Floors for recall@10 of the graph against the exact scan, with equal scores
// counted as equally right: for each metric, after merges, after deletions, for
// sorted input and for data full of duplicates. All data comes from fixed
// seeds; the floors lie one or two points below what was measured.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "base/thread_pool.h"
#include "index/test_vectors.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 2024;
constexpr uint32_t kTestDimension = 40;
constexpr uint32_t kClusters = 40;
constexpr uint32_t kTestRows = 4000;
constexpr uint32_t kQueries = 200;
// Clusters that overlap: a query's neighbours lie in several.
constexpr float kSpread = 1.5F;

// Keeps the bytes that an open index reads.
struct Built {
  BuiltVectorIndex bytes;
  std::unique_ptr<VectorIndex> index;
};

Built Build(const VectorIndexInput& input) {
  // One thread: the floors hold for one graph, not for any.
  auto bytes = BuildVectorIndex(input, nullptr, RequestContext(), nullptr);
  EXPECT_OK(bytes);
  Built built{*std::move(bytes), nullptr};
  auto index = VectorIndex::Open(input.shape, input.rows.back().ordinal + 1,
                                 built.bytes.view());
  EXPECT_OK(index);
  built.index = *std::move(index);
  return built;
}

// Rows of one cluster after another, and queries of the same clusters: every
// (kTestRows / kQueries)-th row of a longer list is a query.
struct RecallData {
  VectorShape shape;
  TestVectors rows{kTestDimension, {}};
  TestVectors queries{kTestDimension, {}};
};

RecallData Generate(Metric metric) {
  RecallData data;
  data.shape = {metric, kTestDimension};
  const TestVectors all = ClusteredVectors(data.shape, kTestRows + kQueries,
                                           kClusters, kTestSeed, kSpread);
  constexpr uint32_t kEvery = kTestRows / kQueries + 1;
  for (uint32_t row = 0; row < all.rows(); ++row) {
    TestVectors& part = row % kEvery == 0 ? data.queries : data.rows;
    part.Append(all.row(row));
  }
  return data;
}

// The rows for which keeps(row) holds.
template <typename Keeps>
VectorIndexInput Select(const RecallData& data, const VectorIndex* base,
                        Keeps keeps) {
  VectorIndexInput input = TestInput(data.shape, data.rows);
  std::erase_if(input.rows, [&keeps](const VectorIndexInput::Row& row) {
    return !keeps(row.ordinal);
  });
  input.base = base;
  return input;
}

void ExpectRecall(const VectorIndex& index, const TestVectors& queries,
                  double floor_at_20, double floor_at_80,
                  const RowSet& dead = RowSet()) {
  const double at_20 = SearchRecall(index, queries, {.ef = 20}, dead);
  const double at_80 = SearchRecall(index, queries, {.ef = 80}, dead);
  EXPECT_GE(at_20, floor_at_20) << "ef 20, seed " << kTestSeed;
  EXPECT_GE(at_80, floor_at_80) << "ef 80, seed " << kTestSeed;
  testing::Test::RecordProperty("recall_ef_20", std::to_string(at_20));
  testing::Test::RecordProperty("recall_ef_80", std::to_string(at_80));
}

struct MetricCase {
  std::string name;
  Metric metric;
};

class IndexRecallTest : public testing::TestWithParam<MetricCase> {};

TEST_P(IndexRecallTest, AfterABuildFromSortedInput) {
  const RecallData data = Generate(GetParam().metric);
  const Built built = Build(TestInput(data.shape, data.rows));
  EXPECT_TRUE(built.index->has_codes());
  ExpectRecall(*built.index, data.queries, 0.90, 0.985);
}

// A hit of 2,000 may be lost to the chance of another path.
TEST_P(IndexRecallTest, AWiderBeamNeverFindsLess) {
  const RecallData data = Generate(GetParam().metric);
  const Built built = Build(TestInput(data.shape, data.rows));
  double last = 0;
  for (const uint32_t ef : {10U, 14U, 20U, 28U, 40U, 57U, 80U, 113U, 160U, 226U,
                            320U, 640U, 1100U}) {
    const double recall =
        SearchRecall(*built.index, data.queries, {.ef = ef}, {});
    EXPECT_GE(recall, last - 0.00051) << "ef " << ef << ", seed " << kTestSeed;
    last = std::max(last, recall);
  }
  EXPECT_GE(last, 0.999);
}

TEST_P(IndexRecallTest, WithAThirdOfTheRowsDead) {
  const RecallData data = Generate(GetParam().metric);
  const Built built = Build(TestInput(data.shape, data.rows));
  std::mt19937_64 random(kTestSeed);
  std::vector<Ordinal> dead;
  for (Ordinal row = 0; row < data.rows.rows(); ++row) {
    if (random() % 3 == 0) {
      dead.push_back(row);
    }
  }
  ExpectRecall(*built.index, data.queries, 0.92, 0.988,
               RowSet().With(dead, data.rows.rows()));
}

TEST_P(IndexRecallTest, AfterAMergeThatExtends) {
  const RecallData data = Generate(GetParam().metric);
  const Built base =
      Build(Select(data, nullptr, [](Ordinal row) { return row % 3 != 0; }));
  const Built built =
      Build(Select(data, base.index.get(), [](Ordinal) { return true; }));
  ExpectRecall(*built.index, data.queries, 0.895, 0.985);
}

TEST_P(IndexRecallTest, AfterAMergeThatBringsNewClusters) {
  const RecallData data = Generate(GetParam().metric);
  const Built base = Build(Select(
      data, nullptr, [](Ordinal row) { return row < kTestRows * 2 / 3; }));
  const Built built =
      Build(Select(data, base.index.get(), [](Ordinal) { return true; }));
  ExpectRecall(*built.index, data.queries, 0.895, 0.985);
}

// 50 rows are asked for, and those that score like the third or better are of
// use: fewer distances, and nearly all of these are found that are without.
TEST_P(IndexRecallTest, ALeastScoreEndsSearchesEarly) {
  constexpr size_t kAsked = 50;
  constexpr size_t kUseful = 3;
  const RecallData data = Generate(GetParam().metric);
  const Built built = Build(TestInput(data.shape, data.rows));
  const RequestContext context;
  SearchEffort effort{.ef = 400, .slack = 0.2F};
  uint64_t distances = 0;
  uint64_t distances_early = 0;
  size_t found = 0;
  size_t found_early = 0;
  for (uint32_t i = 0; i < data.queries.rows(); ++i) {
    const std::span<const float> query = data.queries.row(i);
    SearchWork work;
    TopK exact(kUseful);
    ASSERT_OK(built.index->Scan(query, RowSet(), context, exact, work));
    const float least = exact.TakeSorted().back().score;
    for (const bool early : {false, true}) {
      effort.least_score = early ? least : SearchEffort().least_score;
      work = {};
      TopK top(kAsked);
      ASSERT_OK(
          built.index->Search(query, effort, RowSet(), context, top, work));
      (early ? distances_early : distances) += work.distances;
      EXPECT_EQ(top.size(), kAsked);
      for (const ScoredRow& hit : top.TakeSorted()) {
        (early ? found_early : found) += hit.score >= least ? 1U : 0U;
      }
    }
  }
  RecordProperty("distances", std::to_string(distances));
  RecordProperty("distances_early", std::to_string(distances_early));
  EXPECT_LT(distances_early, distances);
  EXPECT_GE(static_cast<double>(found_early), 0.97 * static_cast<double>(found))
      << "seed " << kTestSeed;
}

// Three rounds that each drop 30 % and bring back as many others.
TEST_P(IndexRecallTest, AfterMergesThatDropAThird) {
  const RecallData data = Generate(GetParam().metric);
  std::mt19937_64 random(kTestSeed);
  std::vector<bool> keeps(data.rows.rows());
  for (size_t row = 0; row < keeps.size(); ++row) {
    keeps[row] = random() % 10 < 7;
  }
  const auto is_kept = [&keeps](Ordinal row) { return keeps[row]; };
  Built current = Build(Select(data, nullptr, is_kept));
  for (int round = 0; round < 3; ++round) {
    for (size_t row = 0; row < keeps.size(); ++row) {
      keeps[row] = keeps[row] ? random() % 10 >= 3 : random() % 10 < 7;
    }
    Built next = Build(Select(data, current.index.get(), is_kept));
    current = std::move(next);
  }
  ExpectRecall(*current.index, data.queries, 0.89, 0.985);
}

INSTANTIATE_TEST_SUITE_P(Metrics, IndexRecallTest,
                         testing::Values(MetricCase{"cosine", Metric::kCosine},
                                         MetricCase{"inner_product",
                                                    Metric::kInnerProduct},
                                         MetricCase{"l2", Metric::kL2}),
                         [](const auto& test) { return test.param.name; });

// Each encoding by name, with floors of its own; searches by floats are the
// measure.
struct EncodingCase {
  Encoding encoding;
  double floor_at_20;
  double floor_at_80;
};

TEST_P(IndexRecallTest, WithEachEncoding) {
  const RecallData data = Generate(GetParam().metric);
  for (const EncodingCase& tested :
       {EncodingCase{Encoding::kFloat, 0.90, 0.985},
        EncodingCase{Encoding::kBf16, 0.90, 0.985},
        EncodingCase{Encoding::kInt8, 0.90, 0.985},
        EncodingCase{Encoding::kInt4, 0.89, 0.98},
        EncodingCase{Encoding::kBinary, 0.6, 0.9}}) {
    SCOPED_TRACE(EncodingName(tested.encoding));
    VectorIndexInput input = TestInput(data.shape, data.rows);
    input.encoding = tested.encoding;
    const Built built = Build(input);
    EXPECT_EQ(built.index->encoding(), tested.encoding);
    ExpectRecall(*built.index, data.queries, tested.floor_at_20,
                 tested.floor_at_80);
  }
}

// Estimates may miss a row of the exact answer with probability 0.0013.
TEST_P(IndexRecallTest, OfScansByBinaryCodes) {
  const RecallData data = Generate(GetParam().metric);
  VectorIndexInput input = TestInput(data.shape, data.rows);
  input.encoding = Encoding::kBinary;
  const Built built = Build(input);
  std::vector<Ordinal> third;
  for (Ordinal row = 0; row < data.rows.rows(); row += 3) {
    third.push_back(row);
  }
  const RequestContext context;
  for (const RowSet& dead :
       {RowSet(), RowSet().With(third, data.rows.rows())}) {
    SearchWork work;
    const double recall = TieAwareRecall(
        *built.index, data.queries, 10, dead,
        [&](std::span<const float> query, TopK& top) {
          EXPECT_OK(built.index->ScanCodes(query, dead, context, top, work));
        });
    EXPECT_GE(recall, 0.997) << "seed " << kTestSeed;
    // Most rows are only estimated.
    const uint64_t estimates =
        uint64_t{built.index->rows()} * data.queries.rows();
    EXPECT_LT(work.distances - estimates, estimates / 4)
        << "seed " << kTestSeed;
  }
}

// Half of the rows are copies of a few others, as package descriptions are, and
// a cloud of nearly equal ones lies about each.
TEST(IndexDuplicatesRecallTest, CopiesDoNotCutOffTheirNeighbours) {
  RecallData data = Generate(Metric::kL2);
  const TestVectors originals = data.rows;
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<float> normal;
  std::vector<float> vector(kTestDimension);
  for (uint32_t copy = 0; copy < kTestRows / 2; ++copy) {
    const auto original = originals.row((copy % 5) * 997);
    vector.assign(original.begin(), original.end());
    if (copy % 2 == 0) {
      for (float& x : vector) {
        x += 1e-4F * normal(random);
      }
    }
    data.rows.Append(vector);
  }
  // Queries at the copies too.
  for (uint32_t i = 0; i < 5; ++i) {
    vector.assign(originals.row(i * 997).begin(), originals.row(i * 997).end());
    vector[0] += 0.5F;
    data.queries.Append(vector);
  }
  const Built built = Build(TestInput(data.shape, data.rows));
  // Codes cannot tell the clouds' points apart, and the build notices.
  EXPECT_FALSE(built.index->has_codes());
  ExpectRecall(*built.index, data.queries, 0.88, 0.975);
}

// Data that is hard on codes. Whatever `auto` chooses, searches find what they
// find by floats.
struct HardCase {
  std::string name;
  // Changes a row.
  void (*harden)(std::mt19937_64& random, std::span<float> row);
};

void HeavyTails(std::mt19937_64& random, std::span<float> row) {
  std::uniform_real_distribution<float> logarithm(0, 6);
  const float factor = std::exp(logarithm(random));
  for (float& x : row) {
    x *= factor;
  }
  row[random() % 2] *= 30;
}

// Every number has a tail without variance.
void Cauchy(std::mt19937_64& random, std::span<float> row) {
  std::cauchy_distribution<float> cauchy(0, 0.3F);
  for (float& x : row) {
    x += std::clamp(cauchy(random), -1e4F, 1e4F);
  }
}

// Three numbers outweigh all others, in every row.
void FewHugeDimensions(std::mt19937_64& random, std::span<float> row) {
  std::normal_distribution<float> normal;
  for (size_t j = 0; j < 3; ++j) {
    row[j] = 1000 + 300 * normal(random);
  }
}

void Unnormalised(std::mt19937_64& random, std::span<float> row) {
  std::lognormal_distribution<float> factor(0, 1);
  const float times = factor(random);
  for (float& x : row) {
    x *= times;
  }
}

TEST_P(IndexRecallTest, HardDataLosesNothingToCodes) {
  for (const HardCase& tested :
       {HardCase{"heavy tails", HeavyTails}, HardCase{"cauchy", Cauchy},
        HardCase{"few huge dimensions", FewHugeDimensions},
        HardCase{"unnormalised", Unnormalised}}) {
    RecallData data = Generate(GetParam().metric);
    std::mt19937_64 random(kTestSeed);
    for (uint32_t row = 0; row < data.rows.rows(); ++row) {
      const std::span<float> numbers(
          data.rows.numbers.data() + size_t{row} * kTestDimension,
          kTestDimension);
      tested.harden(random, numbers);
      if (GetParam().metric == Metric::kCosine) {
        Normalize(numbers);
      }
    }
    // Queries of the same kind.
    data.queries = TestVectors{kTestDimension, {}};
    for (uint32_t row = 0; row < data.rows.rows(); row += 20) {
      std::vector<float> query(data.rows.row(row).begin(),
                               data.rows.row(row).end());
      query[row % kTestDimension] *= 1.01F;
      data.queries.Append(query);
    }
    const VectorIndexInput input = TestInput(data.shape, data.rows);
    const Built built = Build(input);
    VectorIndexBytes without = built.bytes.view();
    without.codes = {};
    const auto floats =
        VectorIndex::Open(data.shape, data.rows.rows(), without);
    ASSERT_OK(floats);
    const double by_floats =
        SearchRecall(**floats, data.queries, {.ef = 80}, RowSet());
    const double by_codes =
        SearchRecall(*built.index, data.queries, {.ef = 80}, RowSet());
    const std::string name = tested.name + " by " +
                             std::string(EncodingName(built.index->encoding()));
    std::cout << name << ": floats " << by_floats << ", codes " << by_codes
              << ", loss at the build " << built.index->recall_loss() << "\n";
    // As much as the build allows its own sample of searches.
    EXPECT_GE(by_codes, by_floats - 0.01) << name;
  }
}

}  // namespace
}  // namespace sextant
