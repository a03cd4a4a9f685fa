// SPDX-License-Identifier: Apache-2.0
#include "index/vector_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread_pool.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kTestSeed = 77;

// What the kernels add up, in a loop.
int32_t LoopDot(const int8_t* query, const uint8_t* row, size_t size,
                bool is_nibbles) {
  int32_t sum = 0;
  for (size_t j = 0; j < size; ++j) {
    sum += is_nibbles
               ? query[j] * (row[j] & 15) + query[size + j] * (row[j] >> 4)
               : query[j] * row[j];
  }
  return sum;
}

// For the first 0, 1, ... of `wanted`.
void ExpectTheSumsOfALoop(const int8_t* query, const uint8_t* rows, size_t size,
                          std::span<const uint32_t> wanted, bool is_nibbles) {
  for (size_t count = 0; count <= wanted.size(); ++count) {
    std::vector<int32_t> expected;
    for (const uint32_t row : wanted.first(count)) {
      expected.push_back(LoopDot(query, rows + row * size, size, is_nibbles));
    }
    for (const DistanceKernels* set : SupportedKernels()) {
      std::vector<int32_t> out(count);
      const auto dot_rows =
          is_nibbles ? set->nibble_dot_rows : set->code_dot_rows;
      dot_rows(query, rows, size, wanted.first(count), out.data());
      EXPECT_EQ(out, expected)
          << set->name << " size " << size << " seed " << kTestSeed;
    }
  }
}

class CodeKernelsTest : public ::testing::TestWithParam<bool> {};

TEST_P(CodeKernelsTest, EverySetGivesTheSumsOfALoop) {
  const bool is_nibbles = GetParam();
  std::mt19937_64 random(kTestSeed);
  for (const size_t size : {64U, 128U, 192U, 1024U, 65536U}) {
    constexpr uint32_t kTestRows = 23;
    AlignedArray<int8_t> query(2 * size);
    AlignedArray<uint8_t> rows(kTestRows * size);
    for (size_t i = 0; i < 2 * size; ++i) {
      query.data()[i] = static_cast<int8_t>(random() % 255 - 127);
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      rows.data()[i] = static_cast<uint8_t>(random());
    }
    // The largest sums there are.
    std::fill_n(rows.data(), 2 * size, uint8_t{255});
    for (const int8_t extreme : {int8_t{0}, int8_t{-127}, int8_t{127}}) {
      if (extreme != 0) {
        std::fill_n(query.data(), 2 * size, extreme);
      }
      std::vector<uint32_t> wanted = {0, 1};
      while (wanted.size() < 11) {
        wanted.push_back(static_cast<uint32_t>(random() % kTestRows));
      }
      ExpectTheSumsOfALoop(query.data(), rows.data(), size, wanted, is_nibbles);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, CodeKernelsTest, ::testing::Bool(),
                         [](const auto& tested) {
                           return tested.param ? "Nibbles" : "Bytes";
                         });

struct DataCase {
  std::string name;
  Metric metric = Metric::kCosine;
  uint32_t dimension = 0;
  float magnitude = 1;  // of the rows, which differ this much from each other
  float shift = 0;      // of all numbers
  bool unit = false;

  friend void PrintTo(const DataCase& tested, std::ostream* out) {
    *out << tested.name;
  }
};

class VectorCodesTest : public ::testing::TestWithParam<DataCase> {
 protected:
  static constexpr uint32_t kNodes = 500;

  std::vector<float> Vectors() {
    const DataCase& tested = GetParam();
    const size_t stride = PaddedStride(tested.dimension);
    std::vector<float> vectors(kNodes * stride, 0);
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> magnitude(1, tested.magnitude);
    for (uint32_t node = 0; node < kNodes; ++node) {
      const float factor = tested.magnitude == 1 ? 1 : magnitude(random_);
      for (uint32_t j = 0; j < tested.dimension; ++j) {
        vectors[node * stride + j] = normal(random_) * factor + tested.shift;
      }
      if (tested.unit) {
        EXPECT_TRUE(
            Normalize({vectors.data() + node * stride, tested.dimension}));
      }
    }
    return vectors;
  }

  std::mt19937_64 random_{kTestSeed};
};

TEST_P(VectorCodesTest, DistancesAreAsNearToTheFloatsAsTheySay) {
  const DataCase& tested = GetParam();
  const VectorShape shape{tested.metric, tested.dimension};
  const size_t stride = PaddedStride(tested.dimension);
  const std::vector<float> vectors = Vectors();
  std::vector<uint32_t> nodes(kNodes);
  std::iota(nodes.begin(), nodes.end(), 0U);
  for (const uint32_t bits : kCodeBits) {
    const AlignedBytes bytes =
        EncodeVectors(shape, vectors.data(), kNodes, bits);
    const auto codes = VectorCodes::Open(shape, kNodes, bytes);
    ASSERT_OK(codes);
    uint32_t far = 0;
    uint32_t count = 0;
    double sum = 0;
    double signed_sum = 0;
    for (uint32_t q = 0; q < 20; ++q) {
      const float* query = vectors.data() + q * stride;
      CodedQuery coded;
      ASSERT_TRUE(codes->EncodeQuery({query, tested.dimension}, coded));
      std::vector<float> distances(kNodes);
      codes->Distances(coded, nodes, distances.data());
      for (uint32_t node = 0; node < kNodes; ++node) {
        const float* row = vectors.data() + node * stride;
        const float exact =
            tested.metric == Metric::kL2
                ? Kernels().squared_l2(query, row, tested.dimension)
                : -Kernels().inner_product(query, row, tested.dimension);
        const double error = (distances[node] - exact) / codes->error(coded);
        far += std::abs(error) > 1 ? 1U : 0U;
        sum += std::abs(error);
        signed_sum += error;
        ++count;
      }
    }
    EXPECT_LE(far, count / 100) << bits << " bits, seed " << kTestSeed;
    // And not much nearer either, or re-ranking would read rows for nothing.
    EXPECT_GT(sum / count, 0.01) << bits << " bits, seed " << kTestSeed;
    // Too near as often as too far; only L2 distances to bf16 rows, which
    // are those to the rounded row, are too far by the square of its error.
    if (bits != 16 || tested.metric != Metric::kL2) {
      EXPECT_LT(std::abs(signed_sum), 0.1 * sum)
          << bits << " bits, seed " << kTestSeed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Data, VectorCodesTest,
    ::testing::ValuesIn(std::vector<DataCase>{
        {"Unit100", Metric::kCosine, 100, 1, 0, true},
        {"Unit128", Metric::kInnerProduct, 128, 1, 0, true},
        {"ShiftedUnit512", Metric::kCosine, 512, 1, 0.5F, true},
        {"Norms64", Metric::kInnerProduct, 64, 1000, 0, false},
        {"L2", Metric::kL2, 96, 1, 0, false},
        {"L2Norms", Metric::kL2, 128, 100, 0, false},
        {"L2Shifted", Metric::kL2, 33, 1, 1000, false},
        {"OneNumber", Metric::kL2, 1, 1, 0, false}}),
    [](const auto& tested) { return tested.param.name; });

class CodesOfBitsTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(CodesOfBitsTest, HugeNumbersGetNoCodes) {
  const VectorShape shape{Metric::kL2, 16};
  std::vector<float> vectors(16, 1e30F);
  EXPECT_EQ(EncodeVectors(shape, vectors.data(), 1, GetParam()).size(), 0U);
  vectors.assign(16, 1);
  const AlignedBytes bytes =
      EncodeVectors(shape, vectors.data(), 1, GetParam());
  const auto codes = VectorCodes::Open(shape, 1, bytes);
  ASSERT_OK(codes);
  CodedQuery coded;
  EXPECT_TRUE(codes->EncodeQuery(vectors, coded));  // equal to the mean
  const uint32_t node = 0;
  float distance = 7;
  codes->Distances(coded, {&node, 1}, &distance);
  EXPECT_EQ(distance, 0);
  const float largest = std::numeric_limits<float>::max();
  EXPECT_FALSE(codes->EncodeQuery(std::vector<float>(16, largest), coded));
}

TEST_P(CodesOfBitsTest, DamageIsRefused) {
  const VectorShape shape{Metric::kCosine, 64};
  std::vector<float> vectors(size_t{2} * 64, 0.125F);
  const AlignedBytes bytes =
      EncodeVectors(shape, vectors.data(), 2, GetParam());
  ASSERT_OK(VectorCodes::Open(shape, 2, bytes));
  const auto refused =
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("codes: "));
  EXPECT_THAT(VectorCodes::Open(shape, 3, bytes), refused);
  EXPECT_THAT(VectorCodes::Open({Metric::kL2, 64}, 2, bytes), refused);
  EXPECT_THAT(VectorCodes::Open({Metric::kCosine, 63}, 2, bytes), refused);
  const absl::string_view whole = bytes;
  for (const size_t size : {size_t{0}, size_t{63}, whole.size() - 1}) {
    EXPECT_THAT(VectorCodes::Open(shape, 2, whole.substr(0, size)), refused);
  }
  for (size_t word = 0; word < 7; ++word) {
    AlignedBytes damaged = AlignedBytes::Copy(whole);
    damaged.data()[word * sizeof(uint32_t)] ^= 0x41;
    EXPECT_THAT(VectorCodes::Open(shape, 2, damaged), refused) << word;
  }
}

TEST_P(CodesOfBitsTest, ThreadsMakeTheSameCodes) {
  constexpr uint32_t kTestRows = 5000;
  const VectorShape shape{Metric::kL2, 24};
  std::vector<float> vectors(kTestRows * PaddedStride(24), 0);
  std::mt19937_64 random(kTestSeed);
  for (float& number : vectors) {
    number = static_cast<float>(random() % 1000);
  }
  ThreadPool pool({.name = "encode", .threads = 3});
  const AlignedBytes by_one =
      EncodeVectors(shape, vectors.data(), kTestRows, GetParam());
  const AlignedBytes by_three =
      EncodeVectors(shape, vectors.data(), kTestRows, GetParam(), &pool);
  EXPECT_TRUE(absl::string_view(by_one) == absl::string_view(by_three));
  EXPECT_EQ(BitsOf(by_one), GetParam());
}

TEST_P(CodesOfBitsTest, RowsInAnotherOrderKeepTheirDistances) {
  // Tails lie in the rows (24) or behind them (128).
  for (const uint32_t dimension : {24U, 128U}) {
    constexpr uint32_t kTestRows = 50;
    const VectorShape shape{Metric::kL2, dimension};
    std::vector<float> vectors(kTestRows * PaddedStride(dimension), 0);
    std::mt19937_64 random(kTestSeed);
    for (float& number : vectors) {
      number = static_cast<float>(random() % 1000);
    }
    std::vector<uint32_t> nodes(kTestRows);
    std::iota(nodes.begin(), nodes.end(), 0U);
    std::vector<uint32_t> order = nodes;
    std::ranges::shuffle(order, random);
    const AlignedBytes bytes =
        EncodeVectors(shape, vectors.data(), kTestRows, GetParam());
    const AlignedBytes reordered = ReorderCodes(bytes, order);
    const auto codes = VectorCodes::Open(shape, kTestRows, bytes);
    const auto others = VectorCodes::Open(shape, kTestRows, reordered);
    ASSERT_OK(codes);
    ASSERT_OK(others);
    CodedQuery coded;
    ASSERT_TRUE(codes->EncodeQuery({vectors.data(), dimension}, coded));
    std::vector<float> expected(kTestRows);
    std::vector<float> distances(kTestRows);
    codes->Distances(coded, order, expected.data());
    others->Distances(coded, nodes, distances.data());
    EXPECT_EQ(distances, expected) << dimension << ", seed " << kTestSeed;
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, CodesOfBitsTest, ::testing::ValuesIn(kCodeBits));

}  // namespace
}  // namespace sextant
