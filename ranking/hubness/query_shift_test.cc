// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/query_shift.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

constexpr uint32_t kTestDimension = 12;

// Unit vectors about a direction.
std::vector<float> Cloud(size_t count, float pull, std::mt19937_64* random) {
  std::normal_distribution<float> normal;
  std::vector<float> numbers;
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> row(kTestDimension);
    float square = 0;
    for (size_t d = 0; d < kTestDimension; ++d) {
      row[d] = normal(*random) + (d == 0 ? pull : 0);
      square += row[d] * row[d];
    }
    for (const float x : row) {
      numbers.push_back(x / std::sqrt(square));
    }
  }
  return numbers;
}

VectorRows RowsOf(const std::vector<float>& numbers) {
  return {numbers.data(), numbers.size() / kTestDimension, kTestDimension,
          kTestDimension};
}

// The same by brute force.
double NearestTo(const VectorRows& bank, const float* row, size_t without) {
  double best = -2;
  for (size_t i = 0; i < bank.count; ++i) {
    double dot = 0;
    for (size_t d = 0; d < kTestDimension; ++d) {
      dot += static_cast<double>(bank.row(i)[d]) * static_cast<double>(row[d]);
    }
    best = i == without ? best : std::max(best, dot);
  }
  return best;
}

TEST(QueryShiftTest, IsWhatTheDefinitionSays) {
  std::mt19937_64 random(test::TestSeed());
  const std::vector<float> bank = Cloud(120, 2, &random);
  const std::vector<float> queries = Cloud(80, 0.5F, &random);
  ASSERT_OK_AND_ASSIGN(
      const QueryShift shift,
      MeasureQueryShift(RowsOf(bank), RowsOf(queries), Similarity::kProduct,
                        {nullptr, RequestContext()}));
  std::vector<double> a;
  std::vector<double> b;
  for (size_t i = 0; i < 80; ++i) {
    a.push_back(NearestTo(RowsOf(bank), RowsOf(queries).row(i), 1000));
  }
  for (size_t i = 0; i < 120; ++i) {
    b.push_back(NearestTo(RowsOf(bank), RowsOf(bank).row(i), i));
  }
  double distance = 0;
  for (const double x : a) {
    const auto below = [x](double y) { return y <= x + 1e-7; };
    distance = std::max(
        distance,
        static_cast<double>(std::ranges::count_if(a, below)) / 80 -
            static_cast<double>(std::ranges::count_if(b, below)) / 120);
  }
  EXPECT_NEAR(shift.distance, distance, 1.0 / 80);
  double mean = 0;
  for (const double x : b) {
    mean += x / 120;
  }
  EXPECT_NEAR(shift.bank_similarity, mean, 1e-5);
  EXPECT_NEAR(shift.critical, std::sqrt(std::log(1000.0) / 2 * 200 / 9600),
              1e-9);
}

TEST(QueryShiftTest, TellsOthersFromTheSame) {
  std::mt19937_64 random(11);
  const std::vector<float> bank = Cloud(2000, 3, &random);
  const std::vector<float> same = Cloud(256, 3, &random);
  const std::vector<float> others = Cloud(256, -3, &random);
  const RequestContext context;
  const PassRun run{nullptr, context};
  ASSERT_OK_AND_ASSIGN(
      const QueryShift none,
      MeasureQueryShift(RowsOf(bank), RowsOf(same), Similarity::kProduct, run));
  EXPECT_FALSE(none.is_shifted());
  EXPECT_NEAR(none.query_similarity, none.bank_similarity, 0.02);
  ASSERT_OK_AND_ASSIGN(const QueryShift far,
                       MeasureQueryShift(RowsOf(bank), RowsOf(others),
                                         Similarity::kNegativeSquares, run));
  EXPECT_TRUE(far.is_shifted());
  EXPECT_GT(far.distance, 0.9);
  EXPECT_LT(far.query_similarity, far.bank_similarity);
  // Queries of the bank itself are no shift.
  ASSERT_OK_AND_ASSIGN(
      const QueryShift own,
      MeasureQueryShift(RowsOf(bank), RowsOf(bank), Similarity::kProduct, run));
  EXPECT_EQ(own.distance, 0);
}

TEST(QueryShiftTest, LargeBanksAreLookedAtInPart) {
  std::mt19937_64 random(12);
  const std::vector<float> bank = Cloud(kShiftBankRowsMax + 500, 1, &random);
  const std::vector<float> queries = Cloud(64, 1, &random);
  ASSERT_OK_AND_ASSIGN(
      const QueryShift shift,
      MeasureQueryShift(RowsOf(bank), RowsOf(queries), Similarity::kProduct,
                        {nullptr, RequestContext()}));
  EXPECT_EQ(shift.bank_rows, kShiftBankRowsMax);
  EXPECT_FALSE(shift.is_shifted());
}

TEST(QueryShiftTest, SaysNothingOfFew) {
  std::mt19937_64 random(13);
  const std::vector<float> few = Cloud(49, 1, &random);
  const std::vector<float> many = Cloud(60, 1, &random);
  const RequestContext context;
  const PassRun run{nullptr, context};
  for (const bool bank_is_few : {false, true}) {
    EXPECT_EQ(MeasureQueryShift(RowsOf(bank_is_few ? few : many),
                                RowsOf(bank_is_few ? many : few),
                                Similarity::kProduct, run)
                  .status()
                  .code(),
              absl::StatusCode::kFailedPrecondition);
  }
}

}  // namespace
}  // namespace sextant
