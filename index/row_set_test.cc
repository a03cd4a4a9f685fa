// SPDX-License-Identifier: Apache-2.0
#include "index/row_set.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/status_matchers.h"

namespace sextant {
namespace {

using testing::HasSubstr;

constexpr uint64_t kTestSeed = 3;

TEST(RowSetTest, TheDefaultSetIsEmpty) {
  const RowSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.capacity(), 0U);
  EXPECT_FALSE(set.Contains(0));
  EXPECT_FALSE(set.Contains(0xFFFFFFFF));
  EXPECT_EQ(set.ToBytes(), "");
}

TEST(RowSetTest, FollowsASetOfNumbersThroughManyVersions) {
  std::mt19937_64 random(kTestSeed);
  RowSet set;
  std::set<Ordinal> expected;
  uint32_t capacity = 10;
  for (int round = 0; round < 200; ++round) {
    capacity += static_cast<uint32_t>(random() % 1000);
    std::vector<Ordinal> rows(random() % 20);
    for (Ordinal& row : rows) {
      row = static_cast<Ordinal>(random() % capacity);
    }
    const RowSet before = set;
    set = set.With(rows, capacity);
    for (const Ordinal row : rows) {
      EXPECT_EQ(before.Contains(row), expected.contains(row));
    }
    expected.insert(rows.begin(), rows.end());
    ASSERT_EQ(set.count(), expected.size()) << "seed " << kTestSeed;
  }
  for (Ordinal row = 0; row < capacity + 10; ++row) {
    ASSERT_EQ(set.Contains(row), expected.contains(row)) << row;
  }
}

TEST(RowSetTest, DuplicatesCountOnce) {
  const RowSet set = RowSet()
                         .With(std::vector<Ordinal>{5, 5}, 6)
                         .With(std::vector<Ordinal>{5}, 6);
  EXPECT_EQ(set.count(), 1U);
}

TEST(RowSetTest, BytesAndBack) {
  for (const uint32_t capacity : {1U, 7U, 8U, 9U, 32768U, 70001U}) {
    const RowSet set = RowSet().With(
        std::vector<Ordinal>{0, capacity / 2, capacity - 1}, capacity);
    const std::string bytes = set.ToBytes();
    EXPECT_EQ(bytes.size(), (capacity + 7) / 8);
    ASSERT_OK_AND_ASSIGN(const RowSet back, RowSet::FromBytes(bytes, capacity));
    EXPECT_EQ(back.count(), set.count());
    for (Ordinal row = 0; row < capacity; ++row) {
      ASSERT_EQ(back.Contains(row), set.Contains(row)) << row;
    }
  }
  ASSERT_OK_AND_ASSIGN(const RowSet none, RowSet::FromBytes("", 100));
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.capacity(), 100U);
}

TEST(RowSetTest, WordsHoldABitForEachMember) {
  EXPECT_TRUE(RowSet().ToWords().empty());
  const std::vector<Ordinal> rows = {0, 63, 64, 32'767, 32'768, 70'000};
  const RowSet set = RowSet().With(rows, 70'001);
  const std::vector<uint64_t> words = set.ToWords();
  ASSERT_EQ(words.size(), (70'001U + 63) / 64);
  for (Ordinal row = 0; row < 70'001; ++row) {
    EXPECT_EQ((words[row / 64] >> (row % 64) & 1U) != 0, set.Contains(row))
        << row;
  }
}

TEST(RowSetTest, DamagedBytesAreDataLoss) {
  EXPECT_THAT(
      RowSet::FromBytes("ab", 8),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected 1 bytes")));
  EXPECT_THAT(RowSet::FromBytes("\x10", 4),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("past row 4")));
}

}  // namespace
}  // namespace sextant
