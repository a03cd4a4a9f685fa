// SPDX-License-Identifier: Apache-2.0
#include "index/top_k.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 5;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Ids fall while ordinals rise.
class ReverseOrder final : public RowOrder {
 public:
  bool Before(Ordinal a, Ordinal b) const override { return a > b; }
};

TEST(TopKTest, EqualsSortingWhateverTheOrderOfTheRows) {
  std::mt19937_64 random(kTestSeed);
  const ReverseOrder reverse;
  for (const RowOrder* order : {static_cast<const RowOrder*>(nullptr),
                                static_cast<const RowOrder*>(&reverse)}) {
    for (const size_t k : {0U, 1U, 2U, 10U, 99U, 100U, 500U}) {
      std::vector<ScoredRow> rows(100);
      for (uint32_t i = 0; i < rows.size(); ++i) {
        // Seven scores for a hundred rows: ties everywhere.
        rows[i] = {static_cast<float>(random() % 7), i};
      }
      std::ranges::shuffle(rows, random);
      TopK top(k, order);
      for (const ScoredRow& row : rows) {
        top.Offer(row.score, row.row);
      }
      std::ranges::sort(rows, [order](const ScoredRow& a, const ScoredRow& b) {
        if (a.score != b.score) {
          return a.score > b.score;
        }
        return order == nullptr ? a.row < b.row : a.row > b.row;
      });
      rows.resize(std::min(k, rows.size()));
      const std::vector<ScoredRow> got = top.TakeSorted();
      ASSERT_EQ(got.size(), rows.size());
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].score, rows[i].score) << "seed " << kTestSeed;
        EXPECT_EQ(got[i].row, rows[i].row) << "seed " << kTestSeed;
      }
      EXPECT_EQ(top.size(), 0U);
    }
  }
}

TEST(TopKTest, TheThresholdIsTheWorstHeldOnceFull) {
  TopK top(2);
  EXPECT_EQ(top.threshold(), -kInfinity);
  top.Offer(3, 0);
  EXPECT_EQ(top.threshold(), -kInfinity);
  top.Offer(1, 1);
  EXPECT_EQ(top.threshold(), 1);
  top.Offer(2, 2);
  EXPECT_EQ(top.threshold(), 2);
  EXPECT_EQ(TopK(0).threshold(), kInfinity);
}

TEST(TopKTest, AHugeKAllocatesNothing) {
  TopK top(size_t{1} << 31);
  top.Offer(1, 1);
  EXPECT_EQ(top.size(), 1U);
  EXPECT_LT(top.TakeSorted().capacity(), 100U);
}

TEST(TopKTest, WhatIsNotANumberComesLast) {
  TopK top(2);
  top.Offer(std::nanf(""), 0);
  top.Offer(-5, 1);
  top.Offer(-6, 2);
  const std::vector<ScoredRow> rows = top.TakeSorted();
  EXPECT_EQ(rows[0].row, 1U);
  EXPECT_EQ(rows[1].row, 2U);
}

}  // namespace
}  // namespace sextant
