// SPDX-License-Identifier: Apache-2.0
#include "index/row_filter.h"

#include <array>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"

namespace sextant {
namespace {

// Of rows whose ordinals are their numbers.
std::vector<Ordinal> Allowed(const RowFilter& filter, Ordinal rows) {
  std::vector<Ordinal> ordinals(rows);
  std::iota(ordinals.begin(), ordinals.end(), 0U);
  std::vector<Ordinal> allowed;
  for (Ordinal row = 0; row < rows; ++row) {
    const bool is_allowed = filter.Allows(row, ordinals.data());
    EXPECT_EQ(filter.Allows(row), is_allowed);
    if (is_allowed) {
      allowed.push_back(row);
    }
  }
  return allowed;
}

using Rows = std::vector<Ordinal>;

TEST(RowFilterTest, OfNothingIsAll) {
  const RowSet dead;
  EXPECT_TRUE(RowFilter(dead).is_all());
  EXPECT_EQ(Allowed(RowFilter(dead), 3), (Rows{0, 1, 2}));
}

TEST(RowFilterTest, DeadRowsAreLeftOut) {
  const RowSet dead = RowSet().With(std::array<Ordinal, 1>{1}, 3);
  EXPECT_FALSE(RowFilter(dead).is_all());
  EXPECT_EQ(Allowed(RowFilter(dead), 4), (Rows{0, 2, 3}));
}

TEST(RowFilterTest, BitsLeaveOutWhatIsNotSetAndWhatIsPastTheirEnd) {
  const RowSet dead = RowSet().With(std::array<Ordinal, 1>{2}, 70);
  const std::array<uint64_t, 2> bits = {0b1110, 0b1};
  const RowFilter filter = RowFilter::Among(dead, bits);
  EXPECT_FALSE(filter.is_all());
  EXPECT_EQ(Allowed(filter, 200), (Rows{1, 3, 64}));
  EXPECT_EQ(Allowed(RowFilter::Among(dead, {}), 70), Rows{});
}

TEST(RowFilterTest, RanksLeaveOutWhatIsOutsideTheWindow) {
  const RowSet dead = RowSet().With(std::array<Ordinal, 1>{0}, 5);
  // The last row has no rank.
  const std::array<uint32_t, 5> ranks = {2, 0, 3, 1, 0xFFFFFFFF};
  EXPECT_EQ(Allowed(RowFilter::Ranked(dead, ranks, 1, 3), 6), (Rows{2, 3}));
  EXPECT_EQ(Allowed(RowFilter::Ranked(dead, ranks, 0, 1), 6), (Rows{1}));
  EXPECT_EQ(Allowed(RowFilter::Ranked(dead, ranks, 4, 0), 6), Rows{});
}

TEST(RowFilterTest, BitsAndDeathAreByOrdinalRanksByRow) {
  const RowSet dead = RowSet().With(std::array<Ordinal, 1>{0}, 2);
  const std::array<Ordinal, 2> ordinals = {1, 0};
  const std::array<uint64_t, 1> bits = {0b10};
  EXPECT_TRUE(RowFilter::Among(dead, bits).Allows(0, ordinals.data()));
  EXPECT_FALSE(RowFilter::Among(dead, bits).Allows(1, ordinals.data()));
  const std::array<uint32_t, 2> ranks = {7, 8};
  EXPECT_TRUE(RowFilter::Ranked(dead, ranks, 7, 2).Allows(0, ordinals.data()));
  EXPECT_FALSE(RowFilter::Ranked(dead, ranks, 7, 2).Allows(1, ordinals.data()));
}

}  // namespace
}  // namespace sextant
