// SPDX-License-Identifier: Apache-2.0
//
// Searches, counts, deletes, pages and facets by filter, on a collection whose
// points lie in sealed and growing segments.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

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
constexpr uint64_t kTestPoints = 900;

Filter Parsed(const std::string& text) {
  auto filter = ParseFilter(text);
  CHECK(filter.ok()) << filter.status().ToString();
  return *std::move(filter);
}

// Point `id`: size id % 50 (none where id % 7 == 0), a section by id % 4, tags
// "t0".."t<id % 3>", and whether id is even.
std::string PayloadOf(uint64_t id) {
  std::string tags;
  for (uint64_t tag = 0; tag <= id % 3; ++tag) {
    absl::StrAppend(&tags, tag == 0 ? "" : ",", "\"t", tag, "\"");
  }
  return absl::StrCat(
      "{", id % 7 == 0 ? "" : absl::StrCat("\"size\":", id % 50, ","),
      "\"section\":\"s", id % 4, "\",\"tags\":[", tags,
      "],\"even\":", id % 2 == 0 ? "true" : "false", "}");
}

class FilteredSearchTest : public test::DatabaseFixture {
 protected:
  // Two thirds of the points are sealed, some of them dead.
  void SetUp() override {
    Open();
    Schema schema = OneFieldSchema(kTestDimension);
    schema.payload_fields = {{"size", FieldType::kInteger, true},
                             {"section", FieldType::kKeyword},
                             {"tags", FieldType::kKeyword},
                             {"even", FieldType::kBoolean}};
    docs_ = Create("docs", schema);
    for (uint64_t first = 0; first < kTestPoints; first += 300) {
      std::vector<Point> points;
      for (uint64_t id = first; id < first + 300; ++id) {
        points.push_back(
            MakePoint(id, SeededVector(id, kTestDimension), PayloadOf(id)));
      }
      ASSERT_OK(docs_->Upsert(std::move(points), Unlimited()));
      if (first < 600) {
        ASSERT_OK(docs_->SealAndWait(Unlimited()));
      }
    }
    ASSERT_OK(docs_->Delete(
        std::vector<PointId>{uint64_t{3}, uint64_t{301}, uint64_t{601}},
        Unlimited()));
  }

  static bool IsAlive(uint64_t id) { return id != 3 && id != 301 && id != 601; }
  static std::vector<PointId> IdsWhere(
      const std::function<bool(uint64_t)>& holds) {
    std::vector<PointId> ids;
    for (uint64_t id = 0; id < kTestPoints; ++id) {
      if (IsAlive(id) && holds(id)) {
        ids.emplace_back(id);
      }
    }
    return ids;
  }

  SearchResult MustSearch(const SearchQuery& query) {
    auto result = docs_->Search(query, Unlimited());
    CHECK(result.ok()) << result.status().ToString();
    return *std::move(result);
  }
  static SearchQuery Filtered(const std::string& filter, uint32_t limit,
                              bool exact = false) {
    SearchQuery query =
        DenseQuery(SeededVector(4711, kTestDimension), limit, exact);
    query.filter = Parsed(filter);
    query.explain = true;
    return query;
  }

  std::shared_ptr<Collection> docs_;
};

struct FilterCase {
  const char* text;
  std::function<bool(uint64_t)> holds;
};

std::vector<FilterCase> Cases() {
  return {
      {"section = \"s1\"", [](uint64_t id) { return id % 4 == 1; }},
      {"section in (\"s0\", \"s3\") and size < 10",
       [](uint64_t id) {
         return (id % 4 == 0 || id % 4 == 3) && id % 7 != 0 && id % 50 < 10;
       }},
      {"size >= 48", [](uint64_t id) { return id % 7 != 0 && id % 50 >= 48; }},
      {"not exists(size)", [](uint64_t id) { return id % 7 == 0; }},
      {"tags = \"t2\" or size = 1",
       [](uint64_t id) {
         return id % 3 == 2 || (id % 7 != 0 && id % 50 == 1);
       }},
      {"even and not (section = \"s0\")",
       [](uint64_t id) { return id % 2 == 0 && id % 4 != 0; }},
      {"section = \"nowhere\"", [](uint64_t) { return false; }},
      {"size = 17 and section = \"s2\"",
       [](uint64_t id) { return id % 7 != 0 && id % 50 == 17 && id % 4 == 2; }},
  };
}

TEST_F(FilteredSearchTest, HitsAreTheNearestThatMatch) {
  for (const FilterCase& test : Cases()) {
    const std::vector<PointId> matching = IdsWhere(test.holds);
    // Exactly, of all points; then of these the ones that match.
    SearchQuery all =
        DenseQuery(SeededVector(4711, kTestDimension), kTestPoints, true);
    std::vector<PointId> expected;
    for (const PointId& id : IdsOf(MustSearch(all))) {
      if (test.holds(std::get<uint64_t>(id))) {
        expected.push_back(id);
      }
    }
    ASSERT_EQ(expected.size(), matching.size());
    for (const uint32_t limit : {1U, 10U, 900U}) {
      std::vector<PointId> best = expected;
      best.resize(std::min<size_t>(best.size(), limit));
      EXPECT_EQ(IdsOf(MustSearch(Filtered(test.text, limit, true))), best)
          << test.text;
      // Other plans find as many, with the same scores.
      SearchQuery approximate = Filtered(test.text, limit);
      std::get<DenseSource>(approximate.sources[0]).ef = 20;
      const SearchResult found = MustSearch(approximate);
      EXPECT_EQ(found.hits.size(), best.size()) << test.text;
      for (const Hit& hit : found.hits) {
        EXPECT_TRUE(test.holds(std::get<uint64_t>(hit.point.id))) << test.text;
      }
    }
  }
}

TEST_F(FilteredSearchTest, NothingIsReadWhenNothingMatches) {
  const SearchResult found = MustSearch(Filtered("section = \"nowhere\"", 10));
  EXPECT_TRUE(found.hits.empty());
  EXPECT_THAT(found.plan, HasSubstr("nothing"));
  EXPECT_EQ(found.expected_recall, 1);
  for (const StageTiming& stage : found.stages) {
    EXPECT_EQ(stage.distances, 0U) << stage.name;
  }
}

TEST_F(FilteredSearchTest, ThePlanTellsFilterAndCounts) {
  const std::string plan =
      MustSearch(Filtered("size >= 48", 10, /*exact=*/true)).plan;
  EXPECT_THAT(plan, HasSubstr("filter size >= 48"));
  EXPECT_THAT(plan, HasSubstr("matching "));
  EXPECT_THAT(plan, HasSubstr("scan of matches"));
}

TEST_F(FilteredSearchTest, CountsAreExact) {
  for (const FilterCase& test : Cases()) {
    const auto count = docs_->CountMatching(Parsed(test.text), Unlimited());
    ASSERT_OK(count);
    EXPECT_EQ(count->count, IdsWhere(test.holds).size()) << test.text;
  }
}

TEST_F(FilteredSearchTest, PagesByIdAddUp) {
  for (const FilterCase& test : Cases()) {
    for (const uint32_t limit : {1U, 7U, 1000U}) {
      PageQuery query;
      query.filter = Parsed(test.text);
      query.limit = limit;
      std::vector<PointId> ids;
      do {
        const auto page = docs_->ScrollMatching(query, {}, Unlimited());
        ASSERT_OK(page);
        ASSERT_LE(page->points.size(), limit);
        for (const Point& point : page->points) {
          ids.push_back(point.id);
        }
        query.after = page->next;
      } while (query.after.has_value());
      EXPECT_EQ(ids, IdsWhere(test.holds)) << test.text;
    }
  }
}

TEST_F(FilteredSearchTest, PagesInTheOrderOfAFieldAddUp) {
  const auto in_section = [](uint64_t id) { return id % 4 < 2 && id % 7 != 0; };
  for (const bool descending : {false, true}) {
    std::vector<PointId> expected = IdsWhere(in_section);
    std::ranges::stable_sort(expected, [&](const auto& a, const auto& b) {
      const uint64_t x = std::get<uint64_t>(a) % 50;
      const uint64_t y = std::get<uint64_t>(b) % 50;
      return descending ? x > y : x < y;
    });
    for (const uint32_t limit : {1U, 7U, 1000U}) {
      PageQuery query;
      query.filter = Parsed("section in (\"s0\", \"s1\")");
      query.order = {"size", descending};
      query.limit = limit;
      std::vector<PointId> ids;
      do {
        const auto page = docs_->ScrollMatching(query, {}, Unlimited());
        ASSERT_OK(page);
        for (const Point& point : page->points) {
          ids.push_back(point.id);
        }
        query.after = page->next;
      } while (query.after.has_value());
      EXPECT_EQ(ids, expected) << descending << " " << limit;
    }
  }
}

TEST_F(FilteredSearchTest, APageEndsBeforeItIsTooLarge) {
  PageQuery query;
  query.limit = 100;
  PageFetch fetch;
  fetch.projection.payload = true;
  fetch.bytes_max = 200;
  const auto page = docs_->ScrollMatching(query, fetch, Unlimited());
  ASSERT_OK(page);
  EXPECT_GE(page->points.size(), 2U);
  EXPECT_LE(page->points.size(), 4U);
  ASSERT_TRUE(page->next.has_value());
  EXPECT_EQ(page->next->id, page->points.back().id);
  fetch.bytes_max = 1;  // one point all the same
  const auto small = docs_->ScrollMatching(query, fetch, Unlimited());
  ASSERT_OK(small);
  EXPECT_EQ(small->points.size(), 1U);
}

TEST_F(FilteredSearchTest, FacetsCountEveryValue) {
  FacetQuery query;
  query.field = "tags";
  query.filter = Parsed("section = \"s1\"");
  query.limit = 2;
  const auto facets = docs_->Facets(query, Unlimited());
  ASSERT_OK(facets);
  const auto with_tag = [](uint64_t tag) {
    return IdsWhere([tag](uint64_t id) { return id % 4 == 1 && id % 3 >= tag; })
        .size();
  };
  ASSERT_EQ(facets->values.size(), 2U);
  EXPECT_EQ(facets->values[0].first, FieldValue("t0"));
  EXPECT_EQ(facets->values[0].second, with_tag(0));
  EXPECT_EQ(facets->values[1].first, FieldValue("t1"));
  EXPECT_EQ(facets->values[1].second, with_tag(1));
  EXPECT_EQ(facets->distinct, 3U);
  EXPECT_EQ(facets->points, with_tag(0));
  EXPECT_EQ(facets->absent, 0U);

  query.field = "size";
  query.filter.reset();
  query.limit = 1000;
  const auto sizes = docs_->Facets(query, Unlimited());
  ASSERT_OK(sizes);
  EXPECT_EQ(sizes->distinct, 50U);
  EXPECT_EQ(sizes->absent,
            IdsWhere([](uint64_t id) { return id % 7 == 0; }).size());
  uint64_t sum = 0;
  for (const auto& [value, points] : sizes->values) {
    const int64_t size = IntegerOfKey(std::get<NumberKey>(value));
    EXPECT_EQ(points, IdsWhere([size](uint64_t id) {
                        return id % 7 != 0 &&
                               static_cast<int64_t>(id % 50) == size;
                      }).size());
    sum += points;
  }
  EXPECT_EQ(sum + sizes->absent, sizes->points);
}

TEST_F(FilteredSearchTest, DeletesWhatMatchesAndNothingElse) {
  const auto gone = [](uint64_t id) { return id % 4 == 1; };
  const uint64_t expected = IdsWhere(gone).size();
  const uint64_t before = docs_->Count()->count;
  const auto result =
      docs_->DeleteMatching(Parsed("section = \"s1\""), Unlimited());
  ASSERT_OK(result);
  EXPECT_EQ(result->deleted, expected);
  EXPECT_EQ(docs_->Count()->count, before - expected);
  EXPECT_EQ(
      docs_->CountMatching(Parsed("section = \"s1\""), Unlimited())->count, 0U);
  docs_.reset();
  Reopen();
  docs_ = Find("docs");
  EXPECT_EQ(docs_->Count()->count, before - expected);
  const auto again =
      docs_->DeleteMatching(Parsed("section = \"s1\""), Unlimited());
  ASSERT_OK(again);
  EXPECT_EQ(again->deleted, 0U);
  EXPECT_EQ(again->applied_seq, result->applied_seq);
}

TEST_F(FilteredSearchTest, FieldsThatAreNotThereAreNamed) {
  const auto count =
      docs_->CountMatching(Parsed("colour = \"red\""), Unlimited());
  EXPECT_THAT(count, StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("filter text, column 1")));
  SearchQuery query = Filtered("size = \"large\"", 10);
  EXPECT_THAT(docs_->Search(query, Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("field 'size' has type integer")));
  PageQuery page;
  page.limit = 10;
  page.order = {"section", false};
  EXPECT_EQ(
      InvalidFieldPath(docs_->ScrollMatching(page, {}, Unlimited()).status()),
      "order_by.field");
  FacetQuery facets;
  facets.field = "colour";
  facets.limit = 10;
  EXPECT_EQ(InvalidFieldPath(docs_->Facets(facets, Unlimited()).status()),
            "field");
  facets.field = "tags";
  facets.limit = limits::kFacetsMax + 1;
  EXPECT_EQ(InvalidFieldPath(docs_->Facets(facets, Unlimited()).status()),
            "limit");
}

// Columns come back from the checkpoint's files, values of growing rows from
// the payloads of the change log.
TEST_F(FilteredSearchTest, AnswersAreTheSameAfterARestart) {
  for (const bool clean : {true, false}) {
    docs_.reset();
    if (clean) {
      Reopen();
    } else {
      ReopenWithoutClose();
    }
    docs_ = Find("docs");
    ASSERT_EQ(docs_->Info().index.rebuilds, 0U) << events_.Text();
    for (const FilterCase& test : Cases()) {
      const auto count = docs_->CountMatching(Parsed(test.text), Unlimited());
      ASSERT_OK(count);
      EXPECT_EQ(count->count, IdsWhere(test.holds).size()) << test.text;
    }
  }
}

}  // namespace
}  // namespace sextant
