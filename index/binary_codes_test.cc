// SPDX-License-Identifier: Apache-2.0
//
// 1-bit codes and bf16 rows: kernels, the rotation, and what RaBitQ promises of
// its estimates.
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "index/random_rotation.h"
#include "index/vector_codes.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 431;

bool HasBit(const void* bytes, size_t bit) {
  return (static_cast<const uint8_t*>(bytes)[bit / 8] >> bit % 8 & 1) != 0;
}

// What the kernels add up, in a loop.
int32_t LoopDot(const int8_t* planes, const uint8_t* row, size_t stride) {
  int32_t sum = 0;
  for (size_t bit = 0; bit < 8 * stride; ++bit) {
    if (HasBit(row, bit)) {
      sum += (HasBit(planes, bit) ? 1 : 0) +
             (HasBit(planes + stride, bit) ? 2 : 0) +
             (HasBit(planes + 2 * stride, bit) ? 4 : 0) -
             (HasBit(planes + 3 * stride, bit) ? 8 : 0);
    }
  }
  return sum;
}

TEST(BitKernelsTest, EverySetGivesTheSumsOfALoop) {
  constexpr uint32_t kTestRows = 9;
  std::mt19937_64 random(kTestSeed);
  for (const size_t stride : {32U, 64U, 96U, 128U, 8192U}) {
    AlignedArray<int8_t> planes(kBitPlanes * stride);
    AlignedArray<uint8_t> rows(kTestRows * stride);
    for (size_t i = 0; i < rows.size(); ++i) {
      rows.data()[i] = static_cast<uint8_t>(random());
    }
    // All ones against -8 and against 7 are the extremes.
    std::fill_n(rows.data(), stride, uint8_t{255});
    for (int kind = 0; kind < 3; ++kind) {
      for (size_t i = 0; i < planes.size(); ++i) {
        const bool is_last_plane = i >= (kBitPlanes - 1) * stride;
        planes.data()[i] =
            kind == 0
                ? static_cast<int8_t>(random())
                : static_cast<int8_t>(is_last_plane == (kind == 1) ? -1 : 0);
      }
      std::vector<uint32_t> wanted(kTestRows);
      std::iota(wanted.begin(), wanted.end(), 0U);
      std::vector<int32_t> expected;
      for (const uint32_t row : wanted) {
        expected.push_back(
            LoopDot(planes.data(), rows.data() + row * stride, stride));
      }
      for (const DistanceKernels* set : SupportedKernels()) {
        std::vector<int32_t> out(kTestRows);
        set->bit_dot_rows(planes.data(), rows.data(), stride, wanted,
                          out.data());
        EXPECT_EQ(out, expected)
            << set->name << " stride " << stride << " seed " << kTestSeed;
      }
    }
  }
}

TEST(Bf16KernelsTest, EverySetGivesTheSameBits) {
  constexpr uint32_t kTestRows = 11;
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<float> normal;
  for (const size_t stride : {64U, 192U, 1024U}) {
    std::vector<float> query(stride / 2);
    std::vector<uint8_t> rows(kTestRows * stride);
    std::vector<float> numbers;
    for (float& x : query) {
      x = normal(random) * std::exp(4 * normal(random));
    }
    for (size_t i = 0; i < rows.size(); i += 2) {
      const float number = normal(random) * std::exp(4 * normal(random));
      uint32_t bits = 0;
      std::memcpy(&bits, &number, sizeof(bits));
      bits &= 0xFFFF0000U;
      std::memcpy(rows.data() + i, reinterpret_cast<char*>(&bits) + 2, 2);
      float widened = 0;
      std::memcpy(&widened, &bits, sizeof(bits));
      numbers.push_back(widened);
    }
    for (uint32_t count = 0; count <= kTestRows; ++count) {
      std::vector<uint32_t> wanted(count);
      std::iota(wanted.begin(), wanted.end(), 0U);
      std::vector<float> products(count);
      std::vector<float> distances(count);
      const DistanceKernels& first = *SupportedKernels()[0];
      first.bf16_product_rows(query.data(), rows.data(), stride, wanted,
                              products.data());
      first.bf16_l2_rows(query.data(), rows.data(), stride, wanted,
                         distances.data());
      for (uint32_t row = 0; row < count; ++row) {
        double product = 0;
        double squared = 0;
        double size = 0;
        for (size_t j = 0; j < query.size(); ++j) {
          const double x = numbers[row * query.size() + j];
          product += query[j] * x;
          size += std::abs(query[j] * x);
          squared += (query[j] - x) * (query[j] - x);
        }
        EXPECT_NEAR(products[row], product, 1e-5 * size);
        EXPECT_NEAR(distances[row], squared, 1e-5 * squared);
      }
      for (const DistanceKernels* set : SupportedKernels()) {
        std::vector<float> out(count);
        set->bf16_product_rows(query.data(), rows.data(), stride, wanted,
                               out.data());
        EXPECT_EQ(out, products) << set->name << " seed " << kTestSeed;
        set->bf16_l2_rows(query.data(), rows.data(), stride, wanted,
                          out.data());
        EXPECT_EQ(out, distances) << set->name << " seed " << kTestSeed;
      }
    }
  }
}

TEST(RandomRotationTest, KeepsProductsAndSpreadsWhatIsInOneNumber) {
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<float> normal;
  for (const uint32_t dimension : {1U, 64U, 100U, 192U, 448U, 512U, 1000U}) {
    const RandomRotation rotation(dimension);
    const size_t padded = RandomRotation::PaddedDimension(dimension);
    std::vector<float> a(padded, 0);
    std::vector<float> b(padded, 0);
    for (uint32_t j = 0; j < dimension; ++j) {
      a[j] = normal(random);
      b[j] = normal(random);
    }
    const auto product = [](const auto& x, const auto& y) {
      return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
    };
    const double before = product(a, b);
    const double norm = product(a, a);
    rotation.Apply(a);
    rotation.Apply(b);
    EXPECT_NEAR(product(a, b), before, 1e-4 * norm) << dimension;
    EXPECT_NEAR(product(a, a), norm, 1e-4 * norm) << dimension;
    for (const size_t one : {size_t{0}, dimension / 2UL, dimension - 1UL}) {
      std::vector<float> unit(padded, 0);
      unit[one] = 1;
      rotation.Apply(unit);
      for (const float x : unit) {
        // Six standard deviations of a random direction.
        EXPECT_LT(std::abs(x), 6 / std::sqrt(static_cast<float>(padded)))
            << dimension;
      }
    }
  }
}

// Rows at every angle to the queries; real estimates must not lean to either
// side, wherever the row is, and must be as near as Errors() says.
class BinaryEstimateTest : public ::testing::TestWithParam<Metric> {};

TEST_P(BinaryEstimateTest, IsUnbiasedAndWithinItsErrors) {
  constexpr uint32_t kTestDimension = 200;
  constexpr uint32_t kTestRows = 4000;
  constexpr uint32_t kQueries = 30;
  const VectorShape shape{GetParam(), kTestDimension};
  const size_t stride = PaddedStride(kTestDimension);
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<float> normal;
  std::vector<float> rows(kTestRows * stride, 0);
  std::vector<float> queries(size_t{kQueries} * kTestDimension);
  for (float& x : queries) {
    x = normal(random);
  }
  for (uint32_t row = 0; row < kTestRows; ++row) {
    const float near = static_cast<float>(row) / kTestRows;
    const float* query =
        queries.data() + size_t{row % kQueries} * kTestDimension;
    for (uint32_t j = 0; j < kTestDimension; ++j) {
      rows[row * stride + j] = 3 + near * query[j] + normal(random);
    }
  }
  const AlignedBytes bytes = EncodeVectors(shape, rows.data(), kTestRows, 1);
  const auto codes = VectorCodes::Open(shape, kTestRows, bytes);
  ASSERT_OK(codes);
  std::vector<uint32_t> nodes(kTestRows);
  std::iota(nodes.begin(), nodes.end(), 0U);
  double sum = 0;       // of errors, in units of Errors()
  double near_sum = 0;  // of the rows that lean to the query
  uint32_t near_count = 0;
  double squares = 0;
  uint32_t outside = 0;
  uint32_t below = 0;
  for (uint32_t q = 0; q < kQueries; ++q) {
    const float* first = queries.data() + size_t{q} * kTestDimension;
    std::vector<float> query(first, first + kTestDimension);
    if (GetParam() == Metric::kL2) {
      for (float& x : query) {
        x += 3;  // where the rows are
      }
    }
    CodedQuery coded;
    ASSERT_TRUE(codes->EncodeQuery(query, coded));
    std::vector<float> estimates(kTestRows);
    std::vector<float> errors(kTestRows);
    codes->Distances(coded, nodes, estimates.data());
    codes->Errors(coded, nodes, errors.data());
    for (uint32_t row = 0; row < kTestRows; ++row) {
      const float* x = rows.data() + row * stride;
      const float exact =
          GetParam() == Metric::kL2
              ? Kernels().squared_l2(query.data(), x, kTestDimension)
              : -Kernels().inner_product(query.data(), x, kTestDimension);
      const double error = (estimates[row] - exact) / errors[row];
      sum += error;
      squares += error * error;
      outside += std::abs(error) > 1 ? 1U : 0U;
      below += error > 1 ? 1U : 0U;
      if (row % kQueries == q) {
        near_sum += error;
        ++near_count;
      }
    }
  }
  constexpr double kCount = double{kTestRows} * kQueries;
  // Errors() is three standard deviations of a normal distribution.
  const double deviation = std::sqrt(squares / kCount);
  EXPECT_NEAR(deviation, 1.0 / 3, 0.03) << "seed " << kTestSeed;
  EXPECT_LE(outside, 0.005 * kCount) << "seed " << kTestSeed;
  EXPECT_LE(below, 0.0025 * kCount) << "seed " << kTestSeed;
  // Rows share a query's rounding, so the mean is of less than kCount samples.
  EXPECT_LT(std::abs(sum / kCount), 0.1 * deviation) << "seed " << kTestSeed;
  EXPECT_LT(std::abs(near_sum / near_count), 0.1 * deviation)
      << "seed " << kTestSeed;
}

INSTANTIATE_TEST_SUITE_P(Metrics, BinaryEstimateTest,
                         ::testing::Values(Metric::kInnerProduct, Metric::kL2));

}  // namespace
}  // namespace sextant
