// SPDX-License-Identifier: Apache-2.0
#include "index/columns/keyword_column.h"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_matchers.h"
#include "index/columns/column_rows.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;

constexpr uint64_t kTestSeed = 23;

TEST(KeywordColumnTest, SortsTermsByTheirBytes) {
  const OwnedColumn owned(FieldType::kKeyword,
                          {{"video", "net"}, {}, {"net"}, {""}, {"z\xC3\xA9"}});
  const KeywordColumn& column = *owned->keyword();
  EXPECT_FALSE(column.is_single());
  ASSERT_EQ(column.term_count(), 4U);
  EXPECT_EQ(column.term(0), "");
  EXPECT_EQ(column.term(1), "net");
  EXPECT_EQ(column.term(3), "z\xC3\xA9");
  EXPECT_THAT(column.FindTerm("video"), Optional(2U));
  EXPECT_THAT(column.FindTerm("vide"), Eq(std::nullopt));
  EXPECT_THAT(column.FindTerm("zz"), Eq(std::nullopt));
  EXPECT_THAT(column.ordinals(1), ElementsAre(0, 2));
  EXPECT_THAT(column.TermsOf(0), ElementsAre(1, 2));
  EXPECT_THAT(column.TermsOf(1), IsEmpty());
  EXPECT_EQ(owned->ValuesOf(0), (FieldValues{"net", "video"}));
}

TEST(KeywordColumnTest, FindsPrefixes) {
  const OwnedColumn owned(FieldType::kKeyword,
                          {{"a"}, {"ab"}, {"abc"}, {"ac"}, {"\xFF\xFF"}});
  const KeywordColumn& column = *owned->keyword();
  const auto rows = [&](absl::string_view prefix) {
    return column.EntriesOf(column.TermsWithPrefix(prefix)).count();
  };
  EXPECT_EQ(rows("a"), 4U);
  EXPECT_EQ(rows("ab"), 2U);
  EXPECT_EQ(rows("abcd"), 0U);
  EXPECT_EQ(rows(""), 5U);
  EXPECT_EQ(rows("\xFF"), 1U);
}

TEST(KeywordColumnTest, MayBeEmpty) {
  for (const uint32_t rows : {0U, 3U}) {
    const OwnedColumn owned(FieldType::kKeyword,
                            std::vector<FieldValues>(rows));
    EXPECT_EQ(owned->keyword()->term_count(), 0U);
    EXPECT_EQ(owned->keyword()->EntriesOf({0, 0}).count(), 0U);
    EXPECT_THAT(owned->keyword()->FindTerm("x"), Eq(std::nullopt));
  }
}

TEST(KeywordColumnTest, AgreesWithAMapOfSets) {
  std::mt19937_64 random(kTestSeed);
  for (const uint64_t values_max : {1U, 4U}) {
    std::vector<FieldValues> rows(30000);
    std::map<std::string, std::set<Ordinal>> expected;
    for (Ordinal row = 0; row < rows.size(); ++row) {
      for (uint64_t i = random() % (values_max + 1); i > 0; --i) {
        // Few terms are frequent and many are rare.
        const uint64_t term = random() % (uint64_t{1} << (random() % 12));
        rows[row].emplace_back(absl::StrCat("t", term));
        expected[absl::StrCat("t", term)].insert(row);
      }
    }
    const OwnedColumn owned(FieldType::kKeyword, rows);
    const KeywordColumn& column = *owned->keyword();
    ASSERT_EQ(column.term_count(), expected.size());
    EXPECT_EQ(column.is_single(), values_max == 1);
    uint32_t number = 0;
    for (const auto& [term, ordinals] : expected) {
      ASSERT_EQ(column.term(number), term);
      ASSERT_THAT(column.FindTerm(term), Optional(number));
      const PositionRun run = column.EntriesOf({number, number + 1});
      ASSERT_EQ(column.postings().RowsOf({&run, 1}).ToOrdinals(),
                std::vector<Ordinal>(ordinals.begin(), ordinals.end()))
          << "seed " << kTestSeed;
      ++number;
    }
    for (const absl::string_view prefix : {"t", "t1", "t12", "u"}) {
      std::set<Ordinal> matching;
      for (const auto& [term, ordinals] : expected) {
        if (absl::StartsWith(term, prefix)) {
          matching.insert(ordinals.begin(), ordinals.end());
        }
      }
      const PositionRun run = column.EntriesOf(column.TermsWithPrefix(prefix));
      ASSERT_EQ(column.postings().RowsOf({&run, 1}).ToOrdinals(),
                std::vector<Ordinal>(matching.begin(), matching.end()))
          << "seed " << kTestSeed;
    }
  }
}

}  // namespace
}  // namespace sextant
