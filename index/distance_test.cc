// SPDX-License-Identifier: Apache-2.0
#include "index/distance.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 11;
constexpr size_t kMaxDimension = 1030;

// A vector in an allocation of its own that ends where the vector ends, so
// that AddressSanitizer sees a kernel read one number too many; `offset`
// floats in, so that rows are not aligned.
class ExactVector {
 public:
  ExactVector(size_t dimension, size_t offset, std::mt19937_64& random)
      : numbers_(new float[offset + dimension]), offset_(offset) {
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < offset + dimension; ++i) {
      numbers_[i] = normal(random);
    }
  }
  const float* get() const { return numbers_.get() + offset_; }

 private:
  std::unique_ptr<float[]> numbers_;
  size_t offset_;
};

// Tells zeros of both signs and numbers that are none apart.
uint32_t BitsOf(float number) {
  return std::bit_cast<uint32_t>(number);
}

struct Reference {
  double inner_product = 0;
  double squared_l2 = 0;
  double magnitude = 0;  // of the summands, for the tolerance
};

Reference InDoubles(const float* a, const float* b, size_t dimension) {
  Reference result;
  for (size_t i = 0; i < dimension; ++i) {
    const double x = a[i];
    const double y = b[i];
    result.inner_product += x * y;
    result.squared_l2 += (x - y) * (x - y);
    result.magnitude += std::abs(x * y) + (x - y) * (x - y);
  }
  return result;
}

TEST(DistanceTest, EverySetAgreesWithDoublesAtEveryDimensionAndOffset) {
  std::mt19937_64 random(kTestSeed);
  for (size_t dimension = 1; dimension <= kMaxDimension; ++dimension) {
    const ExactVector a(dimension, dimension % 5, random);
    const ExactVector b(dimension, dimension % 3, random);
    const Reference expected = InDoubles(a.get(), b.get(), dimension);
    // Sums in any order of at most 1030 floats: well below this.
    const double tolerance = 1e-6 * (1 + expected.magnitude);
    for (const DistanceKernels* set : SupportedKernels()) {
      ASSERT_NEAR(set->inner_product(a.get(), b.get(), dimension),
                  expected.inner_product, tolerance)
          << set->name << " dimension " << dimension << " seed " << kTestSeed;
      ASSERT_NEAR(set->squared_l2(a.get(), b.get(), dimension),
                  expected.squared_l2, tolerance)
          << set->name << " dimension " << dimension << " seed " << kTestSeed;
    }
  }
}

TEST(DistanceTest, RowsGiveTheBitsOfSingleCalls) {
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<float> normal;
  for (size_t dimension = 1; dimension <= kMaxDimension;
       dimension += dimension < 70 ? 1 : 37) {
    // The last row ends where the allocation ends: no padding to read.
    constexpr uint32_t kTestRows = 19;
    const size_t stride = PaddedStride(dimension);
    const size_t size = (kTestRows - 1) * stride + dimension;
    const std::unique_ptr<float[]> base(new float[size]);
    for (size_t i = 0; i < size; ++i) {
      base[i] = normal(random);
    }
    const ExactVector query(dimension, 1, random);
    for (const DistanceKernels* set : SupportedKernels()) {
      for (uint32_t count = 0; count <= kTestRows; ++count) {
        std::vector<uint32_t> rows(count);
        for (uint32_t& row : rows) {
          row = static_cast<uint32_t>(random() % kTestRows);
        }
        std::vector<float> dots(count);
        std::vector<float> squares(count);
        set->inner_product_rows(query.get(), base.get(), stride, dimension,
                                rows, dots.data());
        set->squared_l2_rows(query.get(), base.get(), stride, dimension, rows,
                             squares.data());
        for (uint32_t i = 0; i < count; ++i) {
          const float* row = base.get() + rows[i] * stride;
          const float dot = set->inner_product(query.get(), row, dimension);
          const float square = set->squared_l2(query.get(), row, dimension);
          ASSERT_EQ(BitsOf(dots[i]), BitsOf(dot))
              << set->name << " dimension " << dimension << " rows " << count;
          ASSERT_EQ(BitsOf(squares[i]), BitsOf(square))
              << set->name << " dimension " << dimension << " rows " << count;
        }
      }
    }
  }
}

TEST(DistanceTest, TheWidestSetIsChosenUnlessTheEnvironmentLowersIt) {
  const auto sets = SupportedKernels();
  ASSERT_FALSE(sets.empty());
  EXPECT_EQ(sets.front()->name, "scalar");
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs
  const char* wanted = std::getenv("SEXTANT_SIMD");
  EXPECT_EQ(Kernels().name,
            wanted == nullptr ? sets.back()->name : absl::string_view(wanted));
}

TEST(DistanceTest, StrideIsRoundedUpToCacheLines) {
  EXPECT_EQ(PaddedStride(1), 16U);
  EXPECT_EQ(PaddedStride(16), 16U);
  EXPECT_EQ(PaddedStride(100), 112U);
  EXPECT_EQ(PaddedStride(512), 512U);
}

TEST(NormalizeTest, GivesUnitLength) {
  std::vector<float> vector = {3, 4};
  EXPECT_TRUE(Normalize(vector));
  EXPECT_THAT(vector, testing::ElementsAre(0.6F, 0.8F));
  std::vector<float> huge = {3e38F, 3e38F};
  EXPECT_TRUE(Normalize(huge));
  EXPECT_FLOAT_EQ(huge[0], std::sqrt(0.5F));
  std::vector<float> tiny = {1e-40F, 0};
  EXPECT_TRUE(Normalize(tiny));
  EXPECT_FLOAT_EQ(tiny[0], 1);
}

TEST(NormalizeTest, RefusesWhatHasNoDirection) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<std::vector<float>> cases = {
      {0, 0, 0}, {1, kInfinity}, {std::nanf(""), 1}, {}};
  for (const std::vector<float>& original : cases) {
    std::vector<float> vector = original;
    EXPECT_FALSE(Normalize(vector));
    EXPECT_EQ(vector.size(), original.size());
    for (size_t i = 0; i < vector.size(); ++i) {
      EXPECT_EQ(BitsOf(vector[i]), BitsOf(original[i]));
    }
  }
}

}  // namespace
}  // namespace sextant
