// SPDX-License-Identifier: Apache-2.0
// Hubness corrections on real vectors: sentences and their translations, where
// there are hubs, and captions of pictures, where there are hardly any. Skipped
// where the data is not.
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "ranking/hubness/margin.h"
#include "ranking/hubness/tune.h"
#include "tests/recall/exact_search.h"

namespace sextant {
namespace {

std::string DataFolder() {
  const char* given = std::getenv("SEXTANT_DATA");
  return given == nullptr ? "../shared/data" : given;
}

VectorRows RowsOf(const Matrix& matrix, size_t first, size_t count) {
  const auto dimension = static_cast<uint32_t>(matrix.dimension);
  return {matrix.numbers.data() + first * dimension, count, dimension,
          dimension};
}

class HubnessDataTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(DataFolder())) {
      GTEST_SKIP() << "no data at " << DataFolder();
    }
  }

  static Matrix Read(const std::string& name) {
    auto matrix = ReadMatrix(absl::StrCat(DataFolder(), "/", name, ".npy"));
    EXPECT_OK(matrix.status());
    return matrix.ok() ? *std::move(matrix) : Matrix{};
  }

  // Row i of the first `queries` rows of the foreign side translates row i.
  TuneInput Translations(const Matrix& english, const Matrix& foreign) {
    constexpr size_t kQueries = 1000;
    constexpr size_t kBank = 1200;
    answers_.resize(kQueries);
    std::iota(answers_.begin(), answers_.end(), 0U);
    TuneInput input;
    input.gallery = RowsOf(english, 0, english.rows);
    input.queries = RowsOf(foreign, 0, kQueries);
    input.answers = answers_;
    input.banks.queries = RowsOf(foreign, kQueries, kBank);
    return input;
  }

  double RecallAt1(const TuneInput& input, NormalizerMethod method,
                   double beta) {
    NormalizerSpec spec = DefaultSpec(method);
    spec.beta = beta;
    auto bias = BiasOfGallery(spec, input.banks, input.similarity,
                              input.gallery, Run());
    EXPECT_OK(bias.status());
    return QualityOf(*PlacesOfAnswers(input, &*bias, Run())).recall_at_1;
  }
  double RecallAt1(const TuneInput& input) {
    return QualityOf(*PlacesOfAnswers(input, nullptr, Run())).recall_at_1;
  }

  PassRun Run() { return {&pool_, context_, nullptr}; }

  RequestContext context_;
  ThreadPool pool_{{.threads = 2}};
  std::vector<uint32_t> answers_;
};

TEST_F(HubnessDataTest, NormalizersFindMoreTranslations) {
  const Matrix english = Read("bitext-stsb/en-de.en");
  const Matrix german = Read("bitext-stsb/en-de.de");
  const TuneInput input = Translations(english, german);
  EXPECT_NEAR(RecallAt1(input), 0.590, 0.002);
  EXPECT_GE(RecallAt1(input, NormalizerMethod::kInvertedSoftmax, 20), 0.62);
  EXPECT_GE(RecallAt1(input, NormalizerMethod::kDynamicInvertedSoftmax, 20),
            0.61);

  const auto nearest = CorrectedNearest(input, nullptr, 10, Run());
  ASSERT_OK(nearest.status());
  EXPECT_NEAR(MeasureHubness(CountOccurrences(*nearest, english.rows), 10, 1000)
                  .skewness,
              2.3, 0.15);

  const auto tuned = TuneNormalizer(input, {}, Run());
  ASSERT_OK(tuned.status());
  ASSERT_TRUE(tuned->recommended.has_value()) << tuned->reason;
  const auto bias = BiasOfGallery(*tuned->recommended, input.banks,
                                  input.similarity, input.gallery, Run());
  ASSERT_OK(bias.status());
  EXPECT_GE(QualityOf(*PlacesOfAnswers(input, &*bias, Run())).recall_at_1, 0.62)
      << tuned->reason;
  EXPECT_LT(tuned->trials.front().hubness.skewness,
            tuned->raw_hubness.skewness);
}

TEST_F(HubnessDataTest, TheGateProtectsFromATooHighTemperature) {
  const Matrix english = Read("bitext-stsb/en-ru.en");
  const Matrix russian = Read("bitext-stsb/en-ru.ru");
  const TuneInput input = Translations(english, russian);
  EXPECT_NEAR(RecallAt1(input), 0.469, 0.002);
  EXPECT_NEAR(RecallAt1(input, NormalizerMethod::kInvertedSoftmax, 20), 0.492,
              0.003);
  EXPECT_NEAR(RecallAt1(input, NormalizerMethod::kInvertedSoftmax, 50), 0.457,
              0.003);
  EXPECT_NEAR(RecallAt1(input, NormalizerMethod::kDynamicInvertedSoftmax, 50),
              0.485, 0.003);
}

TEST_F(HubnessDataTest, NothingIsRecommendedWhereNothingHelps) {
  const Matrix gallery = Read("flickr8k-captions/gallery");
  const Matrix queries = Read("flickr8k-captions/queries");
  const Matrix dev_gallery = Read("flickr8k-captions/dev_gallery");
  const Matrix dev_queries = Read("flickr8k-captions/dev_queries");
  const Matrix bank = Read("flickr8k-captions/querybank");
  answers_.resize(dev_queries.rows);
  std::iota(answers_.begin(), answers_.end(), 0U);
  TuneInput input;
  input.gallery = RowsOf(dev_gallery, 0, dev_gallery.rows);
  input.queries = RowsOf(dev_queries, 0, dev_queries.rows);
  input.answers = answers_;
  input.banks.queries = RowsOf(bank, 0, bank.rows);
  const auto tuned = TuneNormalizer(input, {}, Run());
  ASSERT_OK(tuned.status());
  if (!tuned->recommended.has_value()) {
    return;
  }
  input.gallery = RowsOf(gallery, 0, gallery.rows);
  input.queries = RowsOf(queries, 0, queries.rows);
  answers_.resize(queries.rows);
  std::iota(answers_.begin(), answers_.end(), 0U);
  input.answers = answers_;
  const auto bias = BiasOfGallery(*tuned->recommended, input.banks,
                                  input.similarity, input.gallery, Run());
  ASSERT_OK(bias.status());
  EXPECT_GE(QualityOf(*PlacesOfAnswers(input, &*bias, Run())).recall_at_1,
            RecallAt1(input) - 0.003)
      << tuned->reason;
}

TEST_F(HubnessDataTest, TheRatioMarginMinesBetterPairs) {
  const Matrix english = Read("bitext-stsb/en-de.en");
  const Matrix german = Read("bitext-stsb/en-de.de");
  // Candidates; means are over four of them.
  constexpr size_t kNeighbors = 32;
  const VectorRows x = RowsOf(german, 0, german.rows);
  const VectorRows y = RowsOf(english, 0, english.rows);
  std::vector<Neighbor> forward(x.count * kNeighbors);
  std::vector<Neighbor> backward(y.count * kNeighbors);
  ASSERT_OK(NearestOfItems(x, y, Similarity::kProduct, {.k = kNeighbors}, Run(),
                           forward));
  ASSERT_OK(NearestOfItems(y, x, Similarity::kProduct, {.k = kNeighbors}, Run(),
                           backward));
  const auto precision = [&](MarginKind kind) {
    const auto pairs = MinePairs({forward, kNeighbors}, {backward, kNeighbors},
                                 {kind, MiningMode::kForward, -1});
    EXPECT_EQ(pairs.size(), x.count);
    size_t right = 0;
    for (const MinedPair& pair : pairs) {
      right += pair.source == pair.target ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(x.count);
  };
  const double by_cosine = precision(MarginKind::kAbsolute);
  EXPECT_NEAR(by_cosine, 0.609, 0.002);
  EXPECT_GE(precision(MarginKind::kRatio), by_cosine + 0.08);
}

}  // namespace
}  // namespace sextant
