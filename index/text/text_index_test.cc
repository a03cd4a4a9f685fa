// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_index.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "index/text/posting_cursor.h"
#include "index/text/text_merger.h"
#include "index/text/text_test_corpus.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

std::vector<std::string> RandomDocuments(uint64_t seed, size_t count) {
  RandomTexts random(seed, 300);
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    texts.push_back(random.Text(20));
  }
  return texts;
}

// By term, by row: the positions.
using Postings =
    std::map<std::string, std::map<Ordinal, std::vector<uint32_t>>>;

Postings PostingsOf(const std::vector<std::string>& texts) {
  Postings postings;
  for (Ordinal row = 0; row < texts.size(); ++row) {
    const TokenList tokens = TokensOf(texts[row]);
    for (size_t i = 0; i < tokens.size(); ++i) {
      postings[std::string(tokens.term(i))][row].push_back(tokens.position(i));
    }
  }
  return postings;
}

Postings PostingsOf(const TextIndex& index) {
  Postings postings;
  index.VisitFrom("", [&](absl::string_view term, const PostingList& list) {
    for (PostingCursor cursor(list); cursor.row() != kEndRow; cursor.Next()) {
      std::vector<uint32_t> positions;
      cursor.AppendPositions(&positions);
      EXPECT_EQ(cursor.tf(), positions.size());
      postings[std::string(term)][cursor.row()] = positions;
    }
    return true;
  });
  return postings;
}

TEST(TextIndexTest, HoldsWhatWasAdded) {
  const auto texts = RandomDocuments(test::TestSeed(), 3000);
  const auto index = OwnTextIndex(TextIndexBytes(texts), 3000);
  const Postings expected = PostingsOf(texts);
  EXPECT_EQ(PostingsOf(*index), expected);
  EXPECT_EQ(index->terms(), expected.size());
  for (const auto& [term, rows] : expected) {
    ASSERT_EQ(index->Find(term).count, rows.size()) << term;
  }
  EXPECT_TRUE(index->Find("").empty());
  EXPECT_TRUE(index->Find("w").empty());
  EXPECT_TRUE(index->Find("zzz").empty());
  uint64_t tokens = 0;
  for (Ordinal row = 0; row < texts.size(); ++row) {
    ASSERT_EQ(index->length(row), TokensOf(texts[row]).size());
    tokens += index->length(row);
  }
  EXPECT_EQ(index->totals().tokens, tokens);
}

TEST(TextIndexTest, AdvanceFindsTheFirstRowFromATarget) {
  const uint64_t seed = test::TestSeed();
  std::mt19937_64 random(seed);
  const auto texts = RandomDocuments(seed, 5000);
  const auto index = OwnTextIndex(TextIndexBytes(texts), 5000);
  const Postings expected = PostingsOf(texts);
  for (const char* term : {"w0", "w1", "w20", "w150", "w290"}) {
    const auto found = expected.find(term);
    if (found == expected.end()) {
      continue;
    }
    for (int round = 0; round < 50; ++round) {
      PostingCursor cursor(index->Find(term));
      for (Ordinal target = 0; target < 5000;
           target += 1 + static_cast<Ordinal>(random() % 400)) {
        const auto row = found->second.lower_bound(target);
        const Ordinal wanted =
            row == found->second.end() ? kEndRow : row->first;
        ASSERT_EQ(cursor.Advance(target), wanted) << term << " " << target;
        if (wanted == kEndRow) {
          break;
        }
        ASSERT_EQ(cursor.tf(), row->second.size());
      }
    }
  }
}

TEST(TextIndexTest, EmptyOnes) {
  const auto none = OwnTextIndex(TextIndexBytes({}), 0);
  EXPECT_EQ(none->terms(), 0);
  EXPECT_TRUE(none->Find("a").empty());
  const auto blank = OwnTextIndex(TextIndexBytes({"", "", ""}), 3);
  EXPECT_EQ(blank->totals().rows, 0);
  EXPECT_EQ(blank->length(2), 0);
}

TEST(TextIndexTest, WithoutPositions) {
  const auto index = OwnTextIndex(TextIndexBytes({"a b a"}, false), 1);
  EXPECT_FALSE(index->has_positions());
  PostingCursor cursor(index->Find("a"));
  EXPECT_EQ(cursor.tf(), 2);
}

TEST(TextIndexTest, PrefixesInOrder) {
  const auto index = OwnTextIndex(TextIndexBytes({"ab abc b abd a"}), 1);
  std::vector<std::string> terms;
  index->VisitPrefix("ab", [&](absl::string_view term, const PostingList&) {
    terms.emplace_back(term);
    return true;
  });
  EXPECT_THAT(terms, testing::ElementsAre("ab", "abc", "abd"));
}

TEST(TextIndexTest, AMergeIsWhatABuildOfTheLiveRowsMakes) {
  const auto texts = RandomDocuments(test::TestSeed(), 2000);
  const auto index = OwnTextIndex(TextIndexBytes(texts), 2000);
  std::vector<std::string> kept;
  std::vector<Ordinal> new_rows;
  for (Ordinal row = 0; row < 2000; ++row) {
    const bool dropped = row % 7 == 3;
    new_rows.push_back(dropped ? kDroppedRow
                               : static_cast<Ordinal>(kept.size()));
    if (!dropped) {
      kept.push_back(texts[row]);
    }
  }
  const TextMergeSource sources[] = {{index.get(), new_rows}};
  const auto rows = static_cast<uint32_t>(kept.size());
  const auto merged = MergeTextIndexes(sources, rows, RequestContext());
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(*merged, TextIndexBytes(kept));
  new_rows[0] = 1;
  const TextMergeSource twice[] = {{index.get(), new_rows}};
  EXPECT_THAT(MergeTextIndexes(twice, rows, RequestContext()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// Whatever the bytes, they are refused or can be read.
TEST(TextIndexTest, DamageIsRefusedOrHarmless) {
  const uint64_t seed = test::TestSeed();
  std::mt19937_64 random(seed);
  const std::string good = TextIndexBytes(RandomDocuments(seed, 600));
  for (size_t cut = 0; cut < good.size(); cut += 1 + random() % 512) {
    EXPECT_THAT(TextIndex::Open(good.substr(0, cut), 600),
                StatusIs(absl::StatusCode::kDataLoss));
  }
  EXPECT_THAT(TextIndex::Open(good, 599),
              StatusIs(absl::StatusCode::kDataLoss));
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = good;
    for (auto n = 1 + random() % 3; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto index = TextIndex::Open(bytes, 600);
    refused += index.ok() ? 0 : 1;
    if (index.ok()) {
      PostingsOf(*index);
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace sextant
