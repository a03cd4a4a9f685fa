// SPDX-License-Identifier: Apache-2.0
#include "index/match_scan.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "index/test_vectors.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 23;

struct CodesCase {
  std::string name;
  Metric metric = Metric::kCosine;
  Encoding encoding = Encoding::kInt4;
};

class MatchScanTest : public testing::TestWithParam<CodesCase> {};

TEST_P(MatchScanTest, FindsTheBestOfTheRowsThatAreNamed) {
  const VectorShape shape{GetParam().metric, 48};
  TestVectors vectors = ClusteredVectors(shape, 4000, 30, kTestSeed, 1.5F);
  // Points with equal vectors are one node.
  for (uint32_t row = 0; row < 500; ++row) {
    const auto copy = vectors.row(row * 3);
    vectors.Append(std::vector<float>(copy.begin(), copy.end()));
  }
  const TestVectors queries =
      ClusteredVectors(shape, 60, 30, kTestSeed + 1, 1.5F);
  VectorIndexInput input = TestInput(shape, vectors);
  input.encoding = GetParam().encoding;
  ASSERT_OK_AND_ASSIGN(
      const BuiltVectorIndex built,
      BuildVectorIndex(input, nullptr, RequestContext(), nullptr));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorIndex> index,
                       VectorIndex::Open(shape, vectors.rows(), built.view()));
  ASSERT_EQ(index->encoding(), GetParam().encoding);
  std::mt19937_64 random(kTestSeed);
  double right = 0;
  double wanted = 0;
  for (const uint32_t one_in : {2U, 7U, 40U, 200U, 5000U}) {
    for (uint32_t i = 0; i < queries.rows(); ++i) {
      std::vector<Ordinal> some;
      for (Ordinal ordinal = 0; ordinal < vectors.rows(); ++ordinal) {
        if (random() % one_in == 0) {
          some.push_back(ordinal);
        }
      }
      SearchWork exact_work;
      SearchWork work;
      TopK exact(10);
      TopK found(10);
      ASSERT_OK(index->ScanOrdinals(queries.row(i), some, RequestContext(),
                                    exact, exact_work));
      ASSERT_OK(index->ScanOrdinalsByCodes(queries.row(i), some,
                                           RequestContext(), found, work));
      EXPECT_EQ(found.size(), exact.size());
      const std::vector<ScoredRow> best = exact.TakeSorted();
      for (const ScoredRow& row : found.TakeSorted()) {
        right += static_cast<double>(std::count_if(
            best.begin(), best.end(), [&row](const ScoredRow& other) {
              return other.row == row.row && other.score == row.score;
            }));
      }
      wanted += static_cast<double>(best.size());
    }
  }
  EXPECT_GE(right / wanted, 0.997) << "seed " << kTestSeed;
}

INSTANTIATE_TEST_SUITE_P(
    Codes, MatchScanTest,
    testing::Values(CodesCase{"Int4Cosine", Metric::kCosine, Encoding::kInt4},
                    CodesCase{"Int8L2", Metric::kL2, Encoding::kInt8},
                    CodesCase{"Bf16Product", Metric::kInnerProduct,
                              Encoding::kBf16},
                    CodesCase{"Floats", Metric::kL2, Encoding::kFloat},
                    CodesCase{"Binary", Metric::kCosine, Encoding::kBinary}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sextant
