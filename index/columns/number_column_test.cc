// SPDX-License-Identifier: Apache-2.0
#include "index/columns/number_column.h"

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status_matchers.h"
#include "index/columns/column_rows.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kTestSeed = 17;

FieldValues Integers(const std::vector<int64_t>& values) {
  FieldValues result;
  for (const int64_t value : values) {
    result.emplace_back(KeyOfInteger(value));
  }
  return result;
}

PositionRun RangeOf(const NumberColumn& column, int64_t low, int64_t high) {
  return column.Range(KeyOfInteger(low), KeyOfInteger(high));
}

TEST(NumberColumnTest, PutsEntriesInRankOrder) {
  const OwnedColumn owned(
      FieldType::kInteger,
      {Integers({7}), Integers({}), Integers({-3}), Integers({7}),
       Integers({std::numeric_limits<int64_t>::min()})});
  const NumberColumn& column = *owned->number();
  EXPECT_TRUE(column.is_single());
  EXPECT_THAT(column.ordinals(), ElementsAre(4, 2, 0, 3));
  EXPECT_EQ(RangeOf(column, -3, 7), (PositionRun{1, 4}));
  EXPECT_EQ(RangeOf(column, 7, 7), (PositionRun{2, 4}));
  EXPECT_EQ(RangeOf(column, 8, 7).count(), 0U);
  EXPECT_EQ(RangeOf(column, std::numeric_limits<int64_t>::min(),
                    std::numeric_limits<int64_t>::max()),
            (PositionRun{0, 4}));
  EXPECT_THAT(column.PositionsOf(0), ElementsAre(2));
  EXPECT_THAT(column.PositionsOf(1), IsEmpty());
  EXPECT_EQ(owned->ValuesOf(2), Integers({-3}));
  EXPECT_EQ(column.postings().present_count(), 4U);
  EXPECT_FALSE(column.postings().present().Contains(1));
}

TEST(NumberColumnTest, EqualValuesOfARowCountOnce) {
  const OwnedColumn owned(FieldType::kInteger,
                          {Integers({2, 2}), Integers({5, 1, 5})});
  EXPECT_FALSE(owned->is_single());
  EXPECT_EQ(owned->number()->size(), 3U);
  EXPECT_EQ(owned->ValuesOf(1), Integers({1, 5}));
  const OwnedColumn twice(FieldType::kInteger, {Integers({2, 2})});
  EXPECT_TRUE(twice->is_single());
}

TEST(NumberColumnTest, MayBeEmpty) {
  for (const uint32_t rows : {0U, 3U}) {
    const OwnedColumn owned(FieldType::kFloat, std::vector<FieldValues>(rows));
    const NumberColumn& column = *owned->number();
    EXPECT_EQ(column.Range(0, std::numeric_limits<NumberKey>::max()).count(),
              0U);
    EXPECT_TRUE(column.postings().present().empty());
    EXPECT_TRUE(column.postings().RowsOf({}).empty());
  }
}

TEST(NumberColumnTest, KeysTakeTheBytesTheyNeed) {
  // A header, entries, codes (four bytes each) and keys.
  const auto bytes_of = [](int64_t step) {
    std::vector<FieldValues> rows;
    for (int64_t i = 0; i < 128; ++i) {
      rows.push_back(Integers({i * step - 1000}));
    }
    return ColumnBytes(FieldType::kInteger, rows).size() - 32 - size_t{128} * 8;
  };
  EXPECT_EQ(bytes_of(1), 128U);
  EXPECT_EQ(bytes_of(1000) / 128, 4U);
  EXPECT_EQ(bytes_of(100) / 128, 2U);
  EXPECT_EQ(bytes_of(int64_t{1} << 40U) / 128, 8U);
}

struct Shape {
  uint32_t rows;
  uint64_t values_max;  // a row
  int64_t distinct;
  int64_t step;
};

// Values by (key, ordinal), as the column should have them.
using Pairs = std::set<std::pair<NumberKey, Ordinal>>;

std::vector<FieldValues> RandomRows(std::mt19937_64& random, const Shape& shape,
                                    Pairs* pairs) {
  std::vector<FieldValues> rows(shape.rows);
  for (Ordinal row = 0; row < shape.rows; ++row) {
    const uint64_t values = random() % (shape.values_max + 1);
    for (uint64_t i = 0; i < values; ++i) {
      const auto value = (static_cast<int64_t>(random() % static_cast<uint64_t>(
                                                              shape.distinct)) -
                          shape.distinct / 2) *
                         shape.step;
      rows[row].emplace_back(KeyOfInteger(value));
      pairs->emplace(KeyOfInteger(value), row);
    }
  }
  return rows;
}

void ExpectRange(const NumberColumn& column, const Pairs& pairs, NumberKey low,
                 NumberKey high) {
  const PositionRun run = column.Range(low, high);
  std::vector<Ordinal> in_rank_order;
  std::set<Ordinal> rows;
  for (auto it = pairs.lower_bound({low, 0});
       it != pairs.end() && it->first <= high; ++it) {
    in_rank_order.push_back(it->second);
    rows.insert(it->second);
  }
  const auto ordinals = column.ordinals(run);
  ASSERT_EQ(std::vector<Ordinal>(ordinals.begin(), ordinals.end()),
            in_rank_order)
      << "seed " << kTestSeed;
  ASSERT_EQ(column.postings().RowsOf({&run, 1}).ToOrdinals(),
            std::vector<Ordinal>(rows.begin(), rows.end()))
      << "seed " << kTestSeed;
}

TEST(NumberColumnTest, AgreesWithSortedPairs) {
  std::mt19937_64 random(kTestSeed);
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{1000, 1, 2, 1}, Shape{5000, 1, 1 << 20, 1},
        Shape{5000, 3, 40, 1000}, Shape{3000, 2, 1 << 30, int64_t{1} << 32U},
        Shape{70000, 1, 300, 7}}) {
    Pairs pairs;
    const std::vector<FieldValues> rows = RandomRows(random, shape, &pairs);
    const OwnedColumn owned(FieldType::kInteger, rows);
    const NumberColumn& column = *owned->number();
    ASSERT_EQ(column.size(), pairs.size());
    for (int round = 0; round < 60; ++round) {
      const auto key = [&] {
        return KeyOfInteger(
            (static_cast<int64_t>(random() %
                                  static_cast<uint64_t>(shape.distinct + 2)) -
             shape.distinct / 2 - 1) *
                shape.step +
            static_cast<int64_t>(random() % 2));
      };
      const NumberKey low = key();
      ExpectRange(column, pairs, low, round % 4 == 0 ? low : key());
    }
    for (Ordinal row = 0; row < shape.rows; ++row) {
      FieldValues expected = rows[row];
      std::sort(expected.begin(), expected.end());
      expected.erase(std::unique(expected.begin(), expected.end()),
                     expected.end());
      ASSERT_EQ(owned->ValuesOf(row), expected) << "seed " << kTestSeed;
    }
  }
}

TEST(NumberColumnTest, SeveralRunsAreOneSet) {
  std::mt19937_64 random(kTestSeed);
  for (const uint64_t values_max : {1U, 3U}) {
    Pairs pairs;
    const auto rows = RandomRows(random, {20000, values_max, 50, 3}, &pairs);
    const OwnedColumn owned(FieldType::kInteger, rows);
    const NumberColumn& column = *owned->number();
    for (int round = 0; round < 50; ++round) {
      std::vector<PositionRun> runs;
      std::set<Ordinal> expected;
      for (int64_t value = -75; value <= 75; value += 3) {
        if (random() % 4 < static_cast<uint64_t>(round % 5)) {
          const PositionRun run = RangeOf(column, value, value);
          runs.push_back(run);
          const auto part = column.ordinals(run);
          expected.insert(part.begin(), part.end());
        }
      }
      ASSERT_EQ(column.postings().RowsOf(runs).ToOrdinals(),
                std::vector<Ordinal>(expected.begin(), expected.end()))
          << "seed " << kTestSeed;
    }
  }
}

}  // namespace
}  // namespace sextant
