// SPDX-License-Identifier: Apache-2.0
#include "index/row_bias.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "index/growing_vectors.h"
#include "index/test_vectors.h"
#include "index/vector_index_builder.h"
#include "index/window_index.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 41;
constexpr size_t kHits = 10;
constexpr uint32_t kTestRows = 2000;

struct BiasCase {
  std::string name;
  Metric metric = Metric::kCosine;
  Encoding encoding = Encoding::kFloat;
};

// Random biases, about as large as what scores differ by, for every row of an
// index of some encoding; some vectors are there twice.
class RowBiasTest : public testing::TestWithParam<BiasCase> {
 protected:
  void SetUp() override {
    shape_ = {GetParam().metric, 48};
    vectors_ = ClusteredVectors(shape_, kTestRows, 30, kTestSeed, 1.5F);
    for (uint32_t row = 0; row < 300; ++row) {
      const auto copy = vectors_.row(row * 3);
      vectors_.Append(std::vector<float>(copy.begin(), copy.end()));
    }
    queries_ = ClusteredVectors(shape_, 50, 30, kTestSeed + 1, 1.5F);
    VectorIndexInput input = TestInput(shape_, vectors_);
    input.encoding = GetParam().encoding;
    ASSERT_OK_AND_ASSIGN(
        built_, BuildVectorIndex(input, nullptr, RequestContext(), nullptr));
    ASSERT_OK_AND_ASSIGN(
        index_, VectorIndex::Open(shape_, vectors_.rows(), built_.view()));
    ASSERT_EQ(index_->encoding(), GetParam().encoding);
    const float spread = shape_.metric == Metric::kL2 ? 20.0F : 0.15F;
    std::uniform_real_distribution<float> uniform(-spread, spread);
    // Of what a vector is, so that equal ones have equal biases.
    by_ordinal_.resize(vectors_.rows());
    for (uint32_t row = 0; row < vectors_.rows(); ++row) {
      by_ordinal_[row] = row < kTestRows ? uniform(random_)
                                         : by_ordinal_[(row - kTestRows) * 3];
    }
    for (const Ordinal ordinal : index_->ordinals()) {
      by_row_.push_back(by_ordinal_[ordinal]);
    }
    bias_ = {by_row_.data()};
  }

  VectorQuery Query(uint32_t i) const { return {queries_.row(i), bias_}; }

  // Of these points.
  std::vector<ScoredRow> Exact(uint32_t query,
                               std::span<const Ordinal> ordinals) const {
    TopK top(kHits);
    for (const Ordinal ordinal : ordinals) {
      top.Offer(
          TestScore(shape_.metric, queries_.row(query), vectors_.row(ordinal)) -
              by_ordinal_[ordinal],
          ordinal);
    }
    return top.TakeSorted();
  }

  std::vector<Ordinal> All() const {
    std::vector<Ordinal> all(vectors_.rows());
    std::iota(all.begin(), all.end(), 0U);
    return all;
  }

  // Mean share of the exact answers' scores that `search` found.
  template <typename Search>
  double Recall(std::span<const Ordinal> ordinals, Search search) {
    double right = 0;
    for (uint32_t i = 0; i < queries_.rows(); ++i) {
      const std::vector<ScoredRow> exact = Exact(i, ordinals);
      TopK top(kHits);
      SearchWork work;
      EXPECT_OK(search(Query(i), top, work));
      const std::vector<ScoredRow> found = top.TakeSorted();
      EXPECT_EQ(found.size(), exact.size());
      for (const ScoredRow& row : found) {
        const float own =
            TestScore(shape_.metric, queries_.row(i), vectors_.row(row.row)) -
            by_ordinal_[row.row];
        EXPECT_NEAR(row.score, own, 1e-4F * (1 + std::abs(own)));
        right += row.score >= exact.back().score - 1e-4F ? 1 : 0;
      }
    }
    return right / kHits / queries_.rows();
  }

  VectorShape shape_;
  std::mt19937_64 random_{kTestSeed};
  TestVectors vectors_;
  TestVectors queries_;
  BuiltVectorIndex built_;
  std::unique_ptr<VectorIndex> index_;
  std::vector<float> by_ordinal_;
  std::vector<float> by_row_;
  RowBias bias_;
  const RequestContext context_;
};

TEST_P(RowBiasTest, ScansFindTheBestCorrectedScores) {
  const RowSet none;
  EXPECT_EQ(Recall(All(),
                   [&](const VectorQuery& query, TopK& top, SearchWork& work) {
                     return index_->Scan(query, none, context_, top, work);
                   }),
            1);
  if (index_->encoding() == Encoding::kBinary) {
    EXPECT_GE(
        Recall(All(),
               [&](const VectorQuery& query, TopK& top, SearchWork& work) {
                 return index_->ScanCodes(query, none, context_, top, work);
               }),
        0.99);
  }
}

TEST_P(RowBiasTest, ScansOfNamedRowsDoToo) {
  std::vector<Ordinal> some = All();
  std::erase_if(some, [this](Ordinal) { return random_() % 3 != 0; });
  EXPECT_EQ(Recall(some,
                   [&](const VectorQuery& query, TopK& top, SearchWork& work) {
                     return index_->ScanOrdinals(query, some, context_, top,
                                                 work);
                   }),
            1);
  EXPECT_GE(Recall(some,
                   [&](const VectorQuery& query, TopK& top, SearchWork& work) {
                     return index_->ScanOrdinalsByCodes(query, some, context_,
                                                        top, work);
                   }),
            0.99);
}

TEST_P(RowBiasTest, TheWalkOfTheGraphGoesByCorrectedScores) {
  const RowSet none;
  for (const SearchEffort& effort :
       {SearchEffort{.ef = 400}, SearchEffort{.ef = 4096, .slack = 0.5F}}) {
    EXPECT_GE(
        Recall(All(),
               [&](const VectorQuery& query, TopK& top, SearchWork& work) {
                 return index_->Search(query, effort, none, context_, top,
                                       work);
               }),
        0.97)
        << effort.ef;
  }
}

TEST_P(RowBiasTest, WindowsToo) {
  std::vector<Ordinal> by_rank = All();
  std::shuffle(by_rank.begin(), by_rank.end(), random_);
  const BuiltWindowIndex built = BuildWindowIndex(
      *index_, by_rank, EncodeForWindows(*index_, kWindowCodeBits, nullptr));
  ASSERT_OK_AND_ASSIGN(
      const auto window,
      WindowIndex::Open(*index_, built.view(), Placement::kInPlace));
  const RowSet none;
  for (const RankWindow ranks :
       {RankWindow{0, 40}, RankWindow{77, 1111}, RankWindow{3, kTestRows}}) {
    EXPECT_GE(
        Recall(std::span(by_rank).subspan(ranks.first, ranks.count),
               [&](const VectorQuery& query, TopK& top, SearchWork& work) {
                 return window->Scan(query, ranks, none, context_, top, work);
               }),
        0.99)
        << ranks.count;
  }
}

TEST_P(RowBiasTest, GrowingRowsToo) {
  GrowingVectors growing(shape_, vectors_.rows());
  for (uint32_t row = 0; row < vectors_.rows(); ++row) {
    growing.Append(vectors_.row(row), row);
  }
  bias_.by_row = by_ordinal_.data();
  const RowSet none;
  EXPECT_EQ(Recall(All(),
                   [&](const VectorQuery& query, TopK& top, SearchWork& work) {
                     return growing.Scan(query, vectors_.rows(), none, context_,
                                         top, work);
                   }),
            1);
}

INSTANTIATE_TEST_SUITE_P(
    Indexes, RowBiasTest,
    testing::Values(
        BiasCase{"FloatCosine", Metric::kCosine, Encoding::kFloat},
        BiasCase{"Int8Product", Metric::kInnerProduct, Encoding::kInt8},
        BiasCase{"Int4L2", Metric::kL2, Encoding::kInt4},
        BiasCase{"BinaryCosine", Metric::kCosine, Encoding::kBinary},
        BiasCase{"Bf16Cosine", Metric::kCosine, Encoding::kBf16}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sextant
