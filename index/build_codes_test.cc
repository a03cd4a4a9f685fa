// SPDX-License-Identifier: Apache-2.0
#include "index/build_codes.h"

#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "index/distance.h"
#include "index/vector_codes.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 5;
constexpr uint32_t kTestRows = 3000;
constexpr uint32_t kTestDimension = 48;
constexpr uint32_t kEfConstruction = 200;

template <typename Distribution>
std::vector<float> Rows(Distribution distribution) {
  constexpr size_t kStride = PaddedStride(kTestDimension);
  std::mt19937_64 random(kTestSeed);
  std::vector<float> rows(kTestRows * kStride, 0);
  for (uint32_t row = 0; row < kTestRows; ++row) {
    for (uint32_t i = 0; i < kTestDimension; ++i) {
      rows[row * kStride + i] = distribution(random);
    }
  }
  return rows;
}

// Around eight normal ones.
std::vector<float> RowsOfEightPlaces(float spread) {
  constexpr size_t kStride = PaddedStride(kTestDimension);
  std::vector<float> rows = Rows(std::normal_distribution<float>());
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<float> around(0, spread);
  for (uint32_t row = 8; row < kTestRows; ++row) {
    for (uint32_t i = 0; i < kTestDimension; ++i) {
      rows[row * kStride + i] = rows[row % 8 * kStride + i] + around(random);
    }
  }
  return rows;
}

uint32_t ChosenBits(const std::vector<float>& rows) {
  const RequestContext context;
  const auto codes =
      ChooseBuildCodes({Metric::kL2, kTestDimension}, rows.data(), kTestRows,
                       kEfConstruction, {nullptr, context, nullptr});
  EXPECT_OK(codes);
  return BitsOf(*codes);
}

TEST(BuildCodesTest, FourBitsWhereTheyTellRowsApart) {
  EXPECT_EQ(ChosenBits(Rows(std::normal_distribution<float>())), 4U);
}

// What tells the rows of one place apart drowns in the steps of a code.
TEST(BuildCodesTest, MoreWhereRowsLieClose) {
  EXPECT_EQ(ChosenBits(RowsOfEightPlaces(0.2F)), 8U);
}

TEST(BuildCodesTest, NoneWhereRowsAreNearCopies) {
  EXPECT_EQ(ChosenBits(RowsOfEightPlaces(1e-4F)), 0U);
}

TEST(BuildCodesTest, NoneForHugeNumbers) {
  EXPECT_EQ(ChosenBits(std::vector<float>(
                kTestRows * PaddedStride(kTestDimension), 1e30F)),
            0U);
}

TEST(BuildCodesTest, CanBeCancelled) {
  const std::vector<float> rows = Rows(std::normal_distribution<float>());
  RequestContext context;
  context.Cancel();
  EXPECT_THAT(
      ChooseBuildCodes({Metric::kL2, kTestDimension}, rows.data(), kTestRows,
                       kEfConstruction, {nullptr, context, nullptr}),
      StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace sextant
