// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_search.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/status_matchers.h"
#include "index/text/text_query_parser.h"
#include "index/text/text_test_corpus.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TextSearchTest : public testing::Test {
 protected:
  TextSearchTest() {
    auto analyzer = Analyzer::Create({});
    CHECK(analyzer.ok());
    analyzer_ = *std::move(analyzer);
  }

  TextSearchField Field(absl::string_view name, size_t number) const {
    TextSearchField field;
    field.name = name;
    field.number = number;
    field.analyzer = analyzer_.get();
    return field;
  }

  // Rows, best first.
  std::vector<ScoredRow> Search(absl::string_view text,
                                const std::vector<TextSearchField>& fields,
                                const TextSegment& segment,
                                const RowFilter* filter = nullptr) const {
    const auto query = ParseTextQuery(text);
    CHECK(query.ok()) << query.status().message();
    auto bound = BoundTextQuery::Bind(*query, fields);
    CHECK(bound.ok()) << bound.status().message();
    const std::span<const TextSegment> segments(&segment, 1);
    CHECK(bound->ExpandPrefixes(segments, context_).ok());
    std::vector<RowFilter> filters;
    if (filter != nullptr) {
      filters.push_back(*filter);
    }
    const auto statistics =
        CollectTextStatistics(*bound, segments, filters, context_);
    CHECK(statistics.ok());
    TopK top(10);
    CHECK(TextSearch(*bound, *statistics)
              .Search(segment, filter != nullptr ? *filter : segment.dead(), {},
                      context_, top)
              .ok());
    return top.TakeSorted();
  }

  RequestContext context_;
  std::unique_ptr<Analyzer> analyzer_;
};

TEST_F(TextSearchTest, ScoresAreThoseOfTheFormula) {
  const TextSegment segment(
      SealedTextParts(
          {OwnTextIndex(TextIndexBytes({"a b c", "a a d", "e f g h", ""}), 4)}),
      1, RowSet());
  TextSearchField field = Field("body", 0);
  field.weight = 2;
  field.bm25 = {.k1 = 0.9F, .b = 0.4F};
  const auto found = Search("a b^3", {field}, segment);
  ASSERT_EQ(found.size(), 2);
  // Three rows have tokens, ten in all: the mean is 10 / 3.
  const auto part = [](double df, double tf, double length) {
    const double idf = std::log(1 + (3 - df + 0.5) / (df + 0.5));
    return 2 * idf * tf / (tf + 0.9 * (1 - 0.4 + 0.4 * length / (10 / 3.)));
  };
  EXPECT_EQ(found[0].row, 0);
  EXPECT_NEAR(found[0].score, part(2, 1, 3) + 3 * part(1, 1, 3), 1e-5);
  EXPECT_EQ(found[1].row, 1);
  EXPECT_NEAR(found[1].score, part(2, 2, 3), 1e-5);
}

TEST_F(TextSearchTest, FieldsAreWeightedSums) {
  const TextSegment segment(
      SealedTextParts(
          {OwnTextIndex(TextIndexBytes({"red fox", "dog", "cat"}), 3),
           OwnTextIndex(TextIndexBytes({"dog dog", "x", "red dog"}), 3)}),
      2, RowSet());
  std::vector<TextSearchField> fields = {Field("title", 0), Field("body", 1)};
  const auto both = Search("dog", fields, segment);
  const auto title = Search("title:dog", fields, segment);
  const auto body = Search("body:dog", fields, segment);
  ASSERT_EQ(title.size(), 1);
  ASSERT_EQ(body.size(), 2);
  ASSERT_EQ(both.size(), 3);
  for (const ScoredRow& hit : body) {
    EXPECT_THAT(
        both, testing::Contains(testing::Field(&ScoredRow::score, hit.score)));
  }
  fields[0].weight = 10;
  EXPECT_EQ(Search("dog", fields, segment)[0].row, 1);
  EXPECT_THAT(Search("+title:red +body:dog", fields, segment),
              ElementsAre(testing::Field(&ScoredRow::row, 0)));
}

// Lists of many blocks, where pruning leaps over most of the postings.
TEST_F(TextSearchTest, PhrasesLoseNothingToPruning) {
  RandomTexts random(test::TestSeed(), 12);
  std::vector<std::string> texts;
  for (int i = 0; i < 6000; ++i) {
    texts.push_back(random.Text(12));
  }
  const auto rows = static_cast<uint32_t>(texts.size());
  const TextSegment segment(
      SealedTextParts({OwnTextIndex(TextIndexBytes(texts), rows)}), 1,
      RowSet());
  const TextSearchField field = Field("body", 0);
  for (int i = 0; i < 100; ++i) {
    TextQuery query;
    query.kind = TextQueryKind::kPhrase;
    query.text = absl::StrCat(random.Word(), " ", random.Word());
    query.slop = random.Below(2);
    SCOPED_TRACE(absl::StrCat(query.text, " slop ", query.slop));
    const auto bound = BoundTextQuery::Bind(query, {&field, 1});
    ASSERT_TRUE(bound.ok());
    const auto statistics =
        CollectTextStatistics(*bound, {&segment, 1}, {}, context_);
    ASSERT_TRUE(statistics.ok());
    std::vector<std::vector<ScoredRow>> found;
    for (const bool prune : {false, true}) {
      TopK top(10);
      ASSERT_TRUE(
          TextSearch(*bound, *statistics)
              .Search(segment, segment.dead(), {.prune = prune}, context_, top)
              .ok());
      found.push_back(top.TakeSorted());
    }
    ASSERT_EQ(found[0].size(), found[1].size());
    for (size_t j = 0; j < found[0].size(); ++j) {
      EXPECT_EQ(found[0][j].row, found[1][j].row) << j;
      EXPECT_EQ(found[0][j].score, found[1][j].score) << j;
    }
  }
}

TEST_F(TextSearchTest, IdfCanFollowTheFilter) {
  const TextSegment segment(
      SealedTextParts({OwnTextIndex(
          TextIndexBytes({"a x", "a y", "a z", "b x", "b y", "c x"}), 6)}),
      1, RowSet());
  // Of the first four rows, three have an "a" and one a "b".
  const std::vector<uint64_t> bits = {0b1111};
  const RowFilter filter = RowFilter::Among(segment.dead(), bits);
  const auto found = Search("b", {Field("body", 0)}, segment, &filter);
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].row, 3);
  EXPECT_NEAR(found[0].score, std::log(1 + 3.5 / 1.5) / 2.2, 1e-5);
}

TEST_F(TextSearchTest, RowsBelowTheWantedScoreAreNotMissed) {
  // All scores are equal: the lowest ordinals come first.
  const TextSegment segment(
      SealedTextParts({OwnTextIndex(
          TextIndexBytes(std::vector<std::string>(9000, "a b")), 9000)}),
      1, RowSet());
  for (const char* query : {"a", "a b", "+a +b", "\"a b\"", "a -c"}) {
    const auto found = Search(query, {Field("body", 0)}, segment);
    ASSERT_EQ(found.size(), 10) << query;
    for (uint32_t i = 0; i < 10; ++i) {
      EXPECT_EQ(found[i].row, i) << query;
    }
  }
}

TEST_F(TextSearchTest, BindRefusesWhatItCannotDo) {
  TextSearchField without = Field("bare", 0);
  without.has_positions = false;
  const std::vector<TextSearchField> fields = {without};
  const auto bind = [&](const TextQuery& wanted) {
    return BoundTextQuery::Bind(wanted, fields).status();
  };
  TextQuery query;
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("text: must not be empty")));
  query.text = "\xFF";
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("valid UTF-8")));
  query.text = "a";
  query.boost = -1;
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("boost: must be from 0")));
  query.boost = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument));
  query.boost = 1;
  query.field = "other";
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("no text field 'other'")));
  query.field = "";
  query.kind = TextQueryKind::kPhrase;
  query.text = "a b";
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("has no positions")));
  query.kind = TextQueryKind::kMatch;
  query.text = "";
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&query.text, "w", i, " ");
  }
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("more than 1024 terms")));
  query.text = std::string(1 << 20, 'a');
  EXPECT_THAT(bind(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("at most 65536 bytes")));
  query.text = "...";
  const auto nothing = BoundTextQuery::Bind(query, fields);
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->empty());
}

TEST_F(TextSearchTest, LongPrefixListsAreRefused) {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&text, "w", i, " ");
  }
  const TextSegment segment(
      SealedTextParts({OwnTextIndex(TextIndexBytes({text}), 1)}), 1, RowSet());
  TextQuery query;
  query.kind = TextQueryKind::kPrefix;
  query.text = "W";
  const TextSearchField field = Field("body", 0);
  auto bound = BoundTextQuery::Bind(query, {&field, 1});
  ASSERT_TRUE(bound.ok());
  EXPECT_THAT(bound->ExpandPrefixes({&segment, 1}, context_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("more than 1024 terms begin with 'w'")));
}

}  // namespace
}  // namespace sextant
