// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/bias_terms.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "ranking/hubness/hubness_test_vectors.h"
#include "ranking/hubness/tune.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using test::ExactLogSumExp;
using test::ExactRow;
using test::ExactTopMean;
using test::NoLimit;
using test::TestVectors;

constexpr uint32_t kTestDimension = 20;
constexpr size_t kTestItems = 300;

// The items' potentials after every step of the algorithm, in float64 and
// without logarithms.
std::vector<double> ExactSinkhorn(const VectorRows& items,
                                  const VectorRows& bank,
                                  const VectorRows* more,
                                  const NormalizerSpec& spec) {
  std::vector<std::vector<double>> kernel;
  const auto append = [&](const VectorRows& rows) {
    for (size_t x = 0; x < rows.count; ++x) {
      kernel.push_back(ExactRow(bank, rows.row(x), Similarity::kProduct));
      for (double& s : kernel.back()) {
        s = std::exp((s - 1) / spec.tau);
      }
    }
  };
  append(items);
  if (more != nullptr) {
    append(*more);
  }
  std::vector<double> u(kernel.size(), 1.0);
  std::vector<double> v(bank.count);
  for (uint32_t step = 0; step < spec.iterations; ++step) {
    for (size_t i = 0; i < v.size(); ++i) {
      double sum = 0;
      for (size_t x = 0; x < u.size(); ++x) {
        sum += kernel[x][i] * u[x];
      }
      v[i] = 1 / static_cast<double>(v.size()) / sum;
    }
    for (size_t x = 0; x < u.size(); ++x) {
      u[x] = 1 / static_cast<double>(u.size()) /
             std::inner_product(v.begin(), v.end(), kernel[x].begin(), 0.0);
    }
  }
  u.resize(items.count);
  return u;
}

// b(x) of a method as its paper writes it, up to a constant.
std::vector<double> ExactBias(const NormalizerSpec& spec,
                              const VectorRows& items, const VectorRows& bank,
                              const VectorRows& gallery) {
  const bool sinkhorn = spec.method == NormalizerMethod::kSinkhorn ||
                        spec.method == NormalizerMethod::kDualSinkhorn;
  std::vector<double> biases;
  if (sinkhorn) {
    biases = ExactSinkhorn(
        items, bank,
        spec.method == NormalizerMethod::kDualSinkhorn ? &gallery : nullptr,
        spec);
    for (double& u : biases) {
      u = -spec.tau * std::log(u);
    }
    return biases;
  }
  for (size_t x = 0; x < items.count; ++x) {
    const auto row = ExactRow(bank, items.row(x), Similarity::kProduct);
    switch (spec.method) {
      case NormalizerMethod::kCsls:
      case NormalizerMethod::kMarginDistance:
        biases.push_back(ExactTopMean(row, spec.k) / 2);
        break;
      case NormalizerMethod::kNearestNeighbor:
        biases.push_back(spec.alpha * ExactTopMean(row, spec.k));
        break;
      case NormalizerMethod::kDualInvertedSoftmax:
      case NormalizerMethod::kDualDynamicInvertedSoftmax:
        biases.push_back((ExactLogSumExp(row, spec.beta) +
                          ExactLogSumExp(ExactRow(gallery, items.row(x),
                                                  Similarity::kProduct),
                                         spec.gallery_beta)) /
                         (spec.beta + spec.gallery_beta));
        break;
      default:
        biases.push_back(ExactLogSumExp(row, spec.beta) / spec.beta);
    }
  }
  return biases;
}

std::vector<double> Centered(std::vector<double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) /
                      static_cast<double>(values.size());
  for (double& value : values) {
    value -= mean;
  }
  return values;
}

class BiasTermsTest : public testing::TestWithParam<NormalizerMethod> {
 protected:
  const uint64_t seed_ = test::TestSeed();
  const TestVectors items_{kTestItems, kTestDimension, seed_};
  const TestVectors bank_{700, kTestDimension, seed_ + 1};
  const TestVectors gallery_{90, kTestDimension, seed_ + 2};
};

std::vector<NormalizerMethod> AdditiveMethods() {
  std::vector<NormalizerMethod> methods = AllNormalizerMethods();
  std::erase_if(methods, [](NormalizerMethod m) { return !IsAdditive(m); });
  return methods;
}

INSTANTIATE_TEST_SUITE_P(Methods, BiasTermsTest,
                         testing::ValuesIn(AdditiveMethods()),
                         [](const auto& method) {
                           return std::string(NameOf(method.param));
                         });

TEST_P(BiasTermsTest, EqualsThePapersFormula) {
  NormalizerSpec spec = DefaultSpec(GetParam());
  spec.tau = 0.05;  // what float64 can do without logarithms
  const VectorRows items = items_.rows();
  const std::array<VectorRows, 2> parts = {items.Sub(0, 100),
                                           items.Sub(100, kTestItems - 100)};
  const PassRun run{nullptr, NoLimit()};
  ASSERT_OK_AND_ASSIGN(const std::vector<BiasTerm> terms,
                       MakeBiasTerms(spec, {bank_.rows(), gallery_.rows()},
                                     Similarity::kProduct, parts, run));
  std::vector<double> sums(kTestItems, 0);
  for (const BiasTerm& term : terms) {
    std::vector<float> biases(kTestItems);
    ASSERT_OK(ComputeBias(term, items, run, biases));
    for (size_t x = 0; x < kTestItems; ++x) {
      sums[x] += static_cast<double>(biases[x]);
    }
    EXPECT_EQ(term.gate_k, IsDynamic(spec.method) ? 1U : 0U);
  }
  sums = Centered(sums);
  const std::vector<double> exact =
      Centered(ExactBias(spec, items, bank_.rows(), gallery_.rows()));
  for (size_t x = 0; x < kTestItems; ++x) {
    ASSERT_NEAR(sums[x], exact[x], 1e-5) << x;
  }
}

TEST_P(BiasTermsTest, BanksOfOneVectorDo) {
  const PassRun run{nullptr, NoLimit()};
  const NormalizerBanks banks{bank_.rows().Sub(0, 1),
                              gallery_.rows().Sub(0, 1)};
  ASSERT_OK_AND_ASSIGN(const GalleryBias bias,
                       BiasOfGallery(DefaultSpec(GetParam()), banks,
                                     Similarity::kProduct, items_.rows(), run));
  for (const float b : bias.sums.back()) {
    EXPECT_TRUE(std::isfinite(b));
  }
}

TEST_P(BiasTermsTest, EmptyBanksAndOtherDimensionsAreRefused) {
  const NormalizerSpec spec = DefaultSpec(GetParam());
  const PassRun run{nullptr, NoLimit()};
  const VectorRows items = items_.rows();
  const VectorRows none{nullptr, 0, kTestDimension, kTestDimension};
  const TestVectors other(3, kTestDimension + 1, 1);
  for (const VectorRows& bad : {none, other.rows()}) {
    EXPECT_THAT(MakeBiasTerms(spec, {bad, gallery_.rows()},
                              Similarity::kProduct, {&items, 1}, run),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::HasSubstr("query_bank")));
    if (NeedsGalleryBank(spec.method)) {
      EXPECT_THAT(MakeBiasTerms(spec, {bank_.rows(), bad}, Similarity::kProduct,
                                {&items, 1}, run),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           testing::HasSubstr("gallery_bank")));
    }
  }
}

TEST_P(BiasTermsTest, GatesOpenForTheNearestItemsOfTheBankAlone) {
  const NormalizerSpec spec = DefaultSpec(GetParam());
  const PassRun run{nullptr, NoLimit()};
  ASSERT_OK_AND_ASSIGN(const GalleryBias bias,
                       BiasOfGallery(spec, {bank_.rows(), gallery_.rows()},
                                     Similarity::kProduct, items_.rows(), run));
  if (!IsDynamic(spec.method)) {
    EXPECT_THAT(bias.gates, testing::Each(testing::IsEmpty()));
    return;
  }
  std::vector<bool> expected(kTestItems, false);
  for (size_t i = 0; i < bank_.rows().count; ++i) {
    const auto row =
        ExactRow(items_.rows(), bank_.rows().row(i), Similarity::kProduct);
    expected[static_cast<size_t>(std::max_element(row.begin(), row.end()) -
                                 row.begin())] = true;
  }
  EXPECT_EQ(bias.gates[0], expected);
  for (uint32_t x = 0; x < kTestItems; ++x) {
    if (!bias.gates[0][x] && (bias.gates.size() < 2 || !bias.gates[1][x])) {
      // Left alone: DIS is the raw score.
      EXPECT_THAT(bias.For(x), testing::Each(0.0F));
    }
  }
}

TEST(BiasTerms, CslsAndNnnOfAHalfAndTheDistanceMarginAreOne) {
  const TestVectors items(kTestItems, kTestDimension, 1);
  const TestVectors bank(400, kTestDimension, 2);
  const PassRun run{nullptr, NoLimit()};
  std::vector<std::vector<float>> biases;
  for (const NormalizerMethod method :
       {NormalizerMethod::kCsls, NormalizerMethod::kNearestNeighbor,
        NormalizerMethod::kMarginDistance}) {
    NormalizerSpec spec = DefaultSpec(method);
    spec.alpha = 0.5;
    spec.k = 7;
    ASSERT_OK_AND_ASSIGN(
        const GalleryBias bias,
        BiasOfGallery(spec, {bank.rows(), {}}, Similarity::kProduct,
                      items.rows(), run));
    biases.push_back(bias.sums[1]);
  }
  EXPECT_EQ(biases[0], biases[1]);
  EXPECT_EQ(biases[0], biases[2]);
}

TEST(BiasTerms, OverflowProneBetaGivesTheNearestBankVector) {
  const TestVectors items(50, kTestDimension, 1);
  const TestVectors bank(400, kTestDimension, 2);
  NormalizerSpec spec = DefaultSpec(NormalizerMethod::kInvertedSoftmax);
  spec.beta = kBetaMax;
  ASSERT_OK_AND_ASSIGN(
      const GalleryBias bias,
      BiasOfGallery(spec, {bank.rows(), {}}, Similarity::kProduct, items.rows(),
                    {nullptr, NoLimit()}));
  for (size_t x = 0; x < 50; ++x) {
    const auto row =
        ExactRow(bank.rows(), items.rows().row(x), Similarity::kProduct);
    EXPECT_NEAR(bias.sums[1][x], *std::max_element(row.begin(), row.end()),
                1e-5);
  }
}

}  // namespace
}  // namespace sextant
