// SPDX-License-Identifier: Apache-2.0
#include "index/columns/document_set.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kTestSeed = 11;
constexpr uint32_t kTestRows = 300001;

std::vector<Ordinal> Members(const std::set<Ordinal>& set) {
  return {set.begin(), set.end()};
}

std::vector<uint64_t> WordsOf(const std::set<Ordinal>& set, uint32_t rows) {
  std::vector<uint64_t> words((rows + 63) / 64);
  for (const Ordinal row : set) {
    words[row / 64] |= uint64_t{1} << (row % 64);
  }
  return words;
}

// Dense stretches, runs and lonely members, so that every form of a block is
// met.
std::set<Ordinal> RandomSet(std::mt19937_64& random) {
  std::set<Ordinal> set;
  for (int stretch = 0; stretch < 6; ++stretch) {
    const auto first = static_cast<Ordinal>(random() % kTestRows);
    const auto last = static_cast<Ordinal>(
        std::min<uint64_t>(kTestRows, first + random() % 9000));
    const uint64_t share = random() % 3;  // every one, half, one in 64
    for (Ordinal row = first; row < last; ++row) {
      if (share == 0 || random() % (share == 1 ? 2 : 64) == 0) {
        set.insert(row);
      }
    }
  }
  return set;
}

TEST(DocumentSetTest, TheDefaultSetIsEmpty) {
  const DocumentSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.count(), 0U);
  EXPECT_FALSE(set.Contains(0));
  EXPECT_THAT(set.ToOrdinals(), IsEmpty());
  EXPECT_THAT(set.ToWords(65), ElementsAre(0, 0));
  EXPECT_THAT(set.ToWords(0), IsEmpty());
  EXPECT_EQ(set, DocumentSet::FromWords({}));
  EXPECT_EQ(set, DocumentSet::FromAscending({}));
  EXPECT_EQ(set, DocumentSet::All(0));
}

TEST(DocumentSetTest, AllHoldsEveryRowAndNoMore) {
  for (const uint32_t rows :
       {1U, 63U, 64U, 65535U, 65536U, 65537U, kTestRows}) {
    DocumentSet set = DocumentSet::All(rows);
    EXPECT_EQ(set.count(), rows);
    EXPECT_TRUE(set.Contains(rows - 1));
    EXPECT_FALSE(set.Contains(rows));
    const std::vector<uint64_t> words = set.ToWords(rows);
    EXPECT_EQ(DocumentSet::FromWords(words), set);
    set.Complement(rows);
    EXPECT_TRUE(set.empty());
  }
}

TEST(DocumentSetTest, GoesThroughWordsAndOrdinalsInEveryForm) {
  std::mt19937_64 random(kTestSeed);
  for (int round = 0; round < 30; ++round) {
    const std::set<Ordinal> expected = RandomSet(random);
    const std::vector<uint64_t> words = WordsOf(expected, kTestRows);
    DocumentSet set = DocumentSet::FromWords(words);
    ASSERT_EQ(set.ToOrdinals(), Members(expected)) << "seed " << kTestSeed;
    ASSERT_EQ(set, DocumentSet::FromAscending(Members(expected)));
    ASSERT_EQ(set.ToWords(kTestRows), words) << "seed " << kTestSeed;
    set.Compress();
    ASSERT_EQ(set.ToWords(kTestRows), words)
        << "compressed, seed " << kTestSeed;
    ASSERT_EQ(set.count(), expected.size());
  }
}

TEST(DocumentSetTest, SetOperationsAgreeWithSortedSets) {
  std::mt19937_64 random(kTestSeed);
  for (int round = 0; round < 20; ++round) {
    const std::set<Ordinal> a = RandomSet(random);
    const std::set<Ordinal> b = RandomSet(random);
    const DocumentSet set_a = DocumentSet::FromAscending(Members(a));
    const DocumentSet set_b = DocumentSet::FromAscending(Members(b));
    std::vector<Ordinal> expected;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                          std::back_inserter(expected));
    DocumentSet result = set_a;
    result.And(set_b);
    ASSERT_EQ(result.ToOrdinals(), expected) << "seed " << kTestSeed;
    ASSERT_EQ(set_a.CountOfAnd(set_b), expected.size());
    expected.clear();
    std::set_union(a.begin(), a.end(), b.begin(), b.end(),
                   std::back_inserter(expected));
    result = set_a;
    result.Or(set_b);
    ASSERT_EQ(result.ToOrdinals(), expected) << "seed " << kTestSeed;
    expected.clear();
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                        std::back_inserter(expected));
    result = set_a;
    result.Subtract(set_b);
    ASSERT_EQ(result.ToOrdinals(), expected) << "seed " << kTestSeed;
    result = set_a;
    result.Complement(kTestRows);
    ASSERT_EQ(result.count(), kTestRows - a.size());
    for (int probe = 0; probe < 1000; ++probe) {
      const auto row = static_cast<Ordinal>(random() % kTestRows);
      ASSERT_NE(result.Contains(row), a.contains(row)) << "seed " << kTestSeed;
    }
  }
}

TEST(DocumentSetTest, VisitsInOrderUntilToldToStop) {
  const DocumentSet set =
      DocumentSet::FromAscending(std::vector<Ordinal>{1, 70000, 70001, 200000});
  std::vector<Ordinal> seen;
  set.ForEach([&](Ordinal row) {
    seen.push_back(row);
    return seen.size() < 3;
  });
  EXPECT_THAT(seen, ElementsAre(1, 70000, 70001));
}

TEST(DocumentSetTest, CopiesAreIndependentAndAMovedFromSetTakesAnother) {
  DocumentSet a = DocumentSet::All(10);
  DocumentSet b = a;
  b.Subtract(DocumentSet::All(5));
  EXPECT_EQ(a.count(), 10U);
  EXPECT_EQ(b.count(), 5U);
  DocumentSet c = std::move(a);
  a = b;
  EXPECT_EQ(a, b);
  EXPECT_EQ(c.count(), 10U);
}

}  // namespace
}  // namespace sextant
