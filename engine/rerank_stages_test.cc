// SPDX-License-Identifier: Apache-2.0
//
// Groups of hits, and hits in a diverse order, against obvious implementations
// over exact searches of everything.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/limits.h"
#include "filters/filter_text.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::IdsOf;
using test::MakePoint;
using test::OneFieldSchema;
using test::SeededVector;
using test::Unlimited;
using ::testing::HasSubstr;

constexpr size_t kTestDimension = 12;
constexpr uint64_t kTestPoints = 1200;

// Point `id` has the tags of id % 7 and id % 5 (one where they are equal, none
// where id % 11 == 0), and a shop of id % 40.
std::vector<std::string> TagsOf(uint64_t id) {
  std::set<std::string> tags;
  if (id % 11 != 0) {
    tags = {absl::StrCat("t", id % 7), absl::StrCat("t", id % 5)};
  }
  return {tags.begin(), tags.end()};
}

class RerankStagesTest : public test::DatabaseFixture,
                         public testing::WithParamInterface<Metric> {
 protected:
  void SetUp() override {
    Open();
    Schema schema = OneFieldSchema(kTestDimension, GetParam());
    schema.payload_fields = {{"tags", FieldType::kKeyword},
                             {"shop", FieldType::kInteger}};
    docs_ = Create("docs", schema);
    Write(0, 900);
    ASSERT_OK(docs_->SealAndWait(Unlimited()));
    Write(850, kTestPoints);
  }
  void Write(uint64_t first, uint64_t end) {
    std::vector<Point> points;
    for (uint64_t id = first; id < end; ++id) {
      std::string tags;
      for (const std::string& tag : TagsOf(id)) {
        absl::StrAppend(&tags, tags.empty() ? "" : ",", "\"", tag, "\"");
      }
      points.push_back(MakePoint(
          id, SeededVector(id, kTestDimension),
          absl::StrCat("{\"tags\":[", tags, "],\"shop\":", id % 40, "}")));
    }
    ASSERT_OK(docs_->Upsert(std::move(points), Unlimited()));
  }

  static SearchQuery Query(uint64_t seed, uint32_t limit) {
    return DenseQuery(SeededVector(1'000'000 + seed, kTestDimension), limit,
                      true);
  }
  SearchResult MustSearch(SearchQuery query) const {
    query.explain = true;
    auto result = docs_->Search(query, Unlimited());
    CHECK(result.ok()) << result.status().ToString();
    return *std::move(result);
  }
  std::vector<Hit> All(uint64_t seed) const {
    return MustSearch(Query(seed, kTestPoints)).hits;
  }
  void ExpectRefused(const SearchQuery& query, const std::string& path) const {
    const auto result = docs_->Search(query, Unlimited());
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_EQ(InvalidFieldPath(result.status()), path);
  }

  std::shared_ptr<Collection> docs_;
};

uint64_t NumberOf(const Hit& hit) {
  return std::get<uint64_t>(hit.point.id);
}

// Groups by tag, in the order of their best hits, which of one point's tags is
// first being the order of values.
std::vector<std::pair<std::string, std::vector<uint64_t>>> GroupsOf(
    const std::vector<Hit>& hits, size_t hits_max) {
  std::vector<std::pair<std::string, std::vector<uint64_t>>> groups;
  for (const Hit& hit : hits) {
    for (const std::string& tag : TagsOf(NumberOf(hit))) {
      auto group = std::find_if(groups.begin(), groups.end(),
                                [&](const auto& g) { return g.first == tag; });
      if (group == groups.end()) {
        groups.push_back({tag, {}});
        group = groups.end() - 1;
      }
      if (group->second.size() < hits_max) {
        group->second.push_back(NumberOf(hit));
      }
    }
  }
  return groups;
}

TEST_P(RerankStagesTest, GroupsAreThoseOfAllPoints) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto expected = GroupsOf(All(seed), 3);
    for (const uint32_t offset : {0U, 2U}) {
      SearchQuery query = Query(seed, 4);
      query.offset = offset;
      query.grouping = {"tags", 3, kTestPoints};
      const SearchResult result = MustSearch(query);
      ASSERT_EQ(result.groups.size(), 4U) << result.plan;
      auto hit = result.hits.begin();
      for (size_t i = 0; i < result.groups.size(); ++i) {
        EXPECT_EQ(result.groups[i].value,
                  FieldValue(expected[offset + i].first));
        std::vector<uint64_t> ids;
        for (uint32_t j = 0; j < result.groups[i].hits; ++j) {
          ids.push_back(NumberOf(*hit++));
        }
        EXPECT_EQ(ids, expected[offset + i].second) << result.plan;
      }
      EXPECT_EQ(hit, result.hits.end());
      EXPECT_THAT(result.plan, HasSubstr("group by tags, hits 3:"));
      EXPECT_THAT(result.plan, HasSubstr("all groups found"));
    }
  }
}

// The nearest points have few shops: more and more of them are looked at.
TEST_P(RerankStagesTest, FewGroupsMakeItLookFarther) {
  SearchQuery query = Query(1, 40);
  query.grouping = {"shop", 1, 0};
  SearchResult result = MustSearch(query);
  EXPECT_EQ(result.groups.size(), 40U) << result.plan;
  EXPECT_THAT(result.plan, HasSubstr("all groups found"));

  query = Query(1, 60);  // there are 40
  query.grouping = {"shop", 1, 10'000};
  result = MustSearch(query);
  EXPECT_EQ(result.groups.size(), 40U);
  EXPECT_THAT(result.plan, HasSubstr("no more points"));

  query.grouping = {"shop", 1, 100};
  result = MustSearch(query);
  EXPECT_LE(result.groups.size(), 40U);
  EXPECT_THAT(result.plan, HasSubstr("candidates_max reached"));
  EXPECT_THAT(result.plan, HasSubstr("among 100 candidates"));
}

TEST_P(RerankStagesTest, GroupsUnderAFilterAndWithPayloads) {
  SearchQuery query = Query(3, 10);
  query.filter = *ParseFilter("shop in (3, 4)");
  query.grouping = {"shop", 2, 0};
  query.projection.payload = true;
  const SearchResult result = MustSearch(query);
  ASSERT_EQ(result.groups.size(), 2U);
  ASSERT_EQ(result.hits.size(), 4U);
  for (const Hit& hit : result.hits) {
    EXPECT_THAT(hit.point.payload,
                HasSubstr(absl::StrCat("\"shop\":", NumberOf(hit) % 40)));
    EXPECT_TRUE(NumberOf(hit) % 40 == 3 || NumberOf(hit) % 40 == 4);
  }
  // A point with two tags is a hit of two groups.
  query.grouping = {"tags", 100, 0};
  query.filter = *ParseFilter("id = 12");
  const SearchResult twice = MustSearch(query);
  EXPECT_EQ(twice.groups.size(), 2U);
  ASSERT_EQ(twice.hits.size(), 2U);
  EXPECT_EQ(twice.hits[0].point.payload, twice.hits[1].point.payload);
}

TEST_P(RerankStagesTest, TheSearchedPointIsInNoGroup) {
  SearchQuery query;
  query.sources.emplace_back(DenseSource{"", PointId(uint64_t{7}), 0, true});
  query.limit = 40;
  query.grouping = {"shop", 100, 10'000};
  for (const Hit& hit : MustSearch(query).hits) {
    EXPECT_NE(NumberOf(hit), 7U);
  }
}

TEST_P(RerankStagesTest, DiversityIsMaximalMarginalRelevance) {
  const auto score = [&](const std::vector<float>& a,
                         const std::vector<float>& b) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    double l2 = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      dot += double{a[i]} * b[i];
      aa += double{a[i]} * a[i];
      bb += double{b[i]} * b[i];
      l2 += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    }
    return GetParam() == Metric::kL2       ? -l2
           : GetParam() == Metric::kCosine ? dot / std::sqrt(aa * bb)
                                           : dot;
  };
  for (const double strength : {0.0, 0.3, 0.7, 1.0}) {
    std::vector<Hit> left = All(5);
    left.resize(60);
    std::vector<uint64_t> expected;
    while (expected.size() < 15) {
      const auto value = [&](const Hit& hit) {
        double nearest = -1e30;
        for (const uint64_t id : expected) {
          nearest = std::max(nearest,
                             score(SeededVector(NumberOf(hit), kTestDimension),
                                   SeededVector(id, kTestDimension)));
        }
        return expected.empty() || strength == 0
                   ? double{hit.score}
                   : (1 - strength) * hit.score - strength * nearest;
      };
      const auto best = std::max_element(
          left.begin(), left.end(),
          [&](const Hit& a, const Hit& b) { return value(a) < value(b); });
      expected.push_back(NumberOf(*best));
      left.erase(best);
    }
    SearchQuery query = Query(5, 10);
    query.offset = 5;
    query.diversity = {strength, 60};
    const SearchResult result = MustSearch(query);
    std::vector<uint64_t> ids;
    for (const Hit& hit : result.hits) {
      ids.push_back(NumberOf(hit));
    }
    EXPECT_EQ(ids, std::vector<uint64_t>(expected.begin() + 5, expected.end()))
        << "strength " << strength;
    EXPECT_THAT(result.plan, HasSubstr("among 60 candidates"));
  }
}

// All that the sources found is grouped; what is alike, nobody knows.
TEST_P(RerankStagesTest, SeveralSources) {
  SearchQuery query = Query(1, 5);
  query.sources.push_back(Query(2, 5).sources[0]);
  query.grouping = {"shop", 2, 0};
  const SearchResult result = MustSearch(query);
  EXPECT_EQ(result.groups.size(), 5U);
  EXPECT_THAT(result.plan, HasSubstr("group by shop, hits 2: 5 groups"));
  query.grouping.reset();
  query.diversity = Diversity();
  ExpectRefused(query, "stages[0].diversity");
}

TEST_P(RerankStagesTest, LimitsAreNamed) {
  SearchQuery query = Query(1, 10);
  query.grouping = {"nothing", 1, 0};
  ExpectRefused(query, "grouping.field");
  query.grouping = {"", 1, 0};
  ExpectRefused(query, "grouping.field");
  query.grouping = {"shop", limits::kHitsPerGroupMax + 1, 0};
  ExpectRefused(query, "grouping.hits_per_group");
  query.grouping = {"shop", 100, 0};
  query.limit = 101;
  ExpectRefused(query, "grouping.hits_per_group");
  query.limit = 10;
  query.grouping = {"shop", 1, limits::kGroupingCandidatesMax + 1};
  ExpectRefused(query, "grouping.candidates_max");
  query.grouping = {"shop", 1, 0};
  query.diversity = Diversity();
  ExpectRefused(query, "grouping");
  query.grouping.reset();
  for (const double strength : {-0.1, 1.1, std::nan("")}) {
    query.diversity = {strength, 0};
    ExpectRefused(query, "stages[0].diversity.strength");
  }
  query.diversity = {0.5, 9};
  ExpectRefused(query, "stages[0].diversity.candidates");
  query.diversity = {0.5, limits::kDiversityCandidatesMax + 1};
  ExpectRefused(query, "stages[0].diversity.candidates");
  query.diversity = {0.5, 0};
  query.limit = limits::kDiversityCandidatesMax + 1;
  ExpectRefused(query, "limit");
}

INSTANTIATE_TEST_SUITE_P(Metrics, RerankStagesTest,
                         testing::Values(Metric::kCosine, Metric::kInnerProduct,
                                         Metric::kL2),
                         [](const auto& tested) {
                           return std::string(MetricName(tested.param));
                         });

}  // namespace
}  // namespace sextant
