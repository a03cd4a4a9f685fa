// SPDX-License-Identifier: Apache-2.0
//
// Cut-offs of searches: what is kept, what the answer says of it, and which
// combinations are refused.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::IdsOf;
using test::MakePoint;
using test::OneFieldSchema;
using test::SeededVector;
using test::Unlimited;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr size_t kTestDimension = 16;

class CutOffTest : public test::DatabaseFixture {
 protected:
  // Points 0 to 7 lie near vector 999, all others anywhere; point 3 has two
  // exact copies, 4 and 5.
  void SetUp() override {
    Open();
    Schema schema = OneFieldSchema(kTestDimension);
    schema.payload_fields = {{"odd", FieldType::kBoolean}};
    docs_ = Create("docs", schema);
    std::vector<Point> points;
    for (uint64_t id = 0; id < 400; ++id) {
      std::vector<float> vector =
          SeededVector(id == 4 || id == 5 ? 3 : id, kTestDimension);
      if (id < 8) {
        const std::vector<float> near = SeededVector(999, kTestDimension);
        for (size_t i = 0; i < kTestDimension; ++i) {
          vector[i] = near[i] + 0.1F * vector[i];
        }
      }
      points.push_back(
          MakePoint(id, std::move(vector),
                    id % 2 == 1 ? R"({"odd":true})" : R"({"odd":false})"));
    }
    ASSERT_OK(docs_->Upsert(std::move(points), Unlimited()));
    ASSERT_OK(docs_->SealAndWait(Unlimited()));
  }

  static SearchQuery NearQuery(uint32_t limit) {
    return DenseQuery(SeededVector(999, kTestDimension), limit);
  }

  SearchResult Search(const SearchQuery& query) {
    auto result = docs_->Search(query, Unlimited());
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : SearchResult();
  }

  std::string RefusedField(const SearchQuery& query) {
    const auto result = docs_->Search(query, Unlimited());
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    return InvalidFieldPath(result.status());
  }

  std::shared_ptr<Collection> docs_;
};

TEST_F(CutOffTest, TheGapEndsTheAnswer) {
  SearchQuery query = NearQuery(50);
  const std::vector<PointId> all = IdsOf(Search(query));
  query.cut_off = ScoreGap{};
  query.explain = true;
  const SearchResult cut = Search(query);
  EXPECT_EQ(IdsOf(cut), std::vector<PointId>(all.begin(), all.begin() + 8));
  ASSERT_TRUE(cut.cut_off.has_value());
  EXPECT_EQ(cut.cut_off->candidates, 100U);  // more than the page
  EXPECT_EQ(cut.cut_off->kept, 8U);
  EXPECT_THAT(cut.cut_off->least_score,
              Optional(static_cast<double>(cut.hits.back().score)));
  EXPECT_THAT(cut.cut_off->best_score, Optional(cut.hits.front().score));
  EXPECT_FALSE(cut.cut_off->nothing_relevant);
  EXPECT_THAT(cut.plan, HasSubstr("cut-off score gap: "));
  EXPECT_THAT(cut.plan, HasSubstr("kept 8 of 100 candidates"));

  // Pages agree, although each looks at the same candidates only.
  std::vector<PointId> pages;
  query.limit = 3;
  for (query.offset = 0; query.offset < 12; query.offset += 3) {
    const SearchResult page = Search(query);
    EXPECT_EQ(page.cut_off->kept, 8U);
    for (const PointId& id : IdsOf(page)) {
      pages.push_back(id);
    }
  }
  EXPECT_EQ(pages, IdsOf(cut));
}

TEST_F(CutOffTest, AFirstGapThatIsNotThereKeepsAllOrNothing) {
  SearchQuery query = NearQuery(150);
  query.cut_off = ScoreGap{.min_gap = 1.5};
  const SearchResult all = Search(query);
  EXPECT_EQ(all.hits.size(), 150U);
  EXPECT_FALSE(all.cut_off->least_score.has_value());
  query.cut_off = ScoreGap{.min_gap = 1.5, .empty_without_gap = true};
  query.explain = true;
  const SearchResult none = Search(query);
  EXPECT_TRUE(none.hits.empty());
  EXPECT_TRUE(none.cut_off->nothing_relevant);
  EXPECT_THAT(none.plan, HasSubstr("nothing relevant: best score "));
}

TEST_F(CutOffTest, AThresholdSaysThatNothingIsRelevant) {
  SearchQuery query = DenseQuery(SeededVector(12345, kTestDimension), 10);
  query.cut_off = MinScore{0.99};
  const SearchResult none = Search(query);
  EXPECT_TRUE(none.hits.empty());
  ASSERT_TRUE(none.cut_off.has_value());
  EXPECT_TRUE(none.cut_off->nothing_relevant);
  EXPECT_EQ(none.cut_off->candidates, 10U);
  EXPECT_EQ(none.cut_off->kept, 0U);
  EXPECT_THAT(none.cut_off->least_score, Optional(0.99));
  // No candidates are another matter.
  docs_ = Create("empty", OneFieldSchema(kTestDimension));
  const SearchResult of_nothing = Search(query);
  ASSERT_TRUE(of_nothing.cut_off.has_value());
  EXPECT_FALSE(of_nothing.cut_off->nothing_relevant);
  EXPECT_FALSE(of_nothing.cut_off->best_score.has_value());
}

TEST_F(CutOffTest, EqualScoresStayTogether) {
  std::vector<float> of_copies = SeededVector(999, kTestDimension);
  const std::vector<float> own = SeededVector(3, kTestDimension);
  for (size_t i = 0; i < kTestDimension; ++i) {
    of_copies[i] += 0.1F * own[i];
  }
  SearchQuery query = DenseQuery(of_copies, 8);
  query.cut_off = ScoreGap{.min_gap = 1e-6};
  EXPECT_THAT(IdsOf(Search(query)),
              ElementsAre(PointId(uint64_t{3}), PointId(uint64_t{4}),
                          PointId(uint64_t{5})));
}

TEST_F(CutOffTest, GoesBeforeGroupsAndDiversity) {
  SearchQuery query = NearQuery(10);
  query.cut_off = ScoreGap{};
  query.grouping = Grouping{.field = "odd", .hits_per_group = 10};
  EXPECT_EQ(Search(query).hits.size(), 8U);
  query.grouping.reset();
  query.diversity = Diversity{.strength = 0.5, .candidates = 10};
  const SearchResult diverse = Search(query);
  EXPECT_EQ(diverse.hits.size(), 8U);
  // And leaves to a stage no more than it asked for.
  query.diversity->candidates = 10;
  query.cut_off = ScoreGap{.min_gap = 1.5};
  query.explain = true;
  EXPECT_THAT(Search(query).plan, HasSubstr("among 10 candidates"));
}

TEST_F(CutOffTest, OfFusedScoresOnlyWhereTheyMeanSomething) {
  SearchQuery query = NearQuery(20);
  query.sources.push_back(query.sources[0]);
  query.fusion = FusionChoice{.method = FusionMethod::kLinear};
  query.cut_off = ScoreGap{};
  EXPECT_EQ(Search(query).hits.size(), 8U);
  query.cut_off = MinScore{1.0};  // of 2 at most
  for (const Hit& hit : Search(query).hits) {
    EXPECT_GE(hit.score, 1.0F);
  }
  query.cut_off = ScoreGap{};
  query.fusion.reset();
  EXPECT_EQ(RefusedField(query), "cut_off.score_gap");
  SearchQuery group = NearQuery(20);
  group.sources = {SourceGroup{.sources = group.sources}};
  group.cut_off = ScoreGap{};
  EXPECT_EQ(RefusedField(group), "cut_off.score_gap");
}

TEST_F(CutOffTest, BadParametersAreNamed) {
  SearchQuery query = NearQuery(10);
  query.cut_off = ScoreGap{.candidates = 1};
  EXPECT_EQ(RefusedField(query), "cut_off.score_gap.candidates");
  query.cut_off = ScoreGap{.min_gap = -1};
  EXPECT_EQ(RefusedField(query), "cut_off.score_gap.min_gap");
  query.cut_off = ScoreGap{.min_ratio = 0.5};
  EXPECT_EQ(RefusedField(query), "cut_off.score_gap.min_ratio");
}

}  // namespace
}  // namespace sextant
