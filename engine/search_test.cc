// SPDX-License-Identifier: Apache-2.0
//
// What a search answers, whichever plan finds it.

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

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
using test::SeededPoints;
using test::SeededVector;
using test::Unlimited;
using ::testing::HasSubstr;

constexpr uint32_t kTestDimension = 24;

uint32_t Bits(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

class SearchTest : public test::DatabaseFixture {
 protected:
  SearchResult MustSearch(const Collection& collection,
                          const SearchQuery& query) {
    auto result = collection.Search(query, Unlimited());
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : SearchResult();
  }
};

class ScoreTest : public SearchTest,
                  public ::testing::WithParamInterface<Metric> {};

// The score of a point is the same float from a scan of the growing segment,
// of a sealed one, and from the graph, and after the same vector was written
// again.
TEST_P(ScoreTest, EveryPlanGivesTheSameBits) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension, GetParam()));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 250, kTestDimension), Unlimited()));
  std::vector<SearchQuery> queries;
  for (uint64_t i = 0; i < 20; ++i) {
    queries.push_back(DenseQuery(SeededVector(9000 + i, kTestDimension), 250));
  }
  std::vector<SearchResult> growing;
  for (const SearchQuery& query : queries) {
    growing.push_back(MustSearch(*docs, query));
    ASSERT_EQ(growing.back().hits.size(), 250U);
  }
  const auto compare = [&](const char* name, const char* method, uint32_t limit,
                           bool exact) {
    for (size_t i = 0; i < queries.size(); ++i) {
      SearchQuery query = queries[i];
      query.limit = limit;
      query.explain = true;
      std::get<DenseSource>(query.sources[0]).exact = exact;
      std::get<DenseSource>(query.sources[0]).ef = exact ? 0 : limit;
      const SearchResult found = MustSearch(*docs, query);
      EXPECT_THAT(found.plan, HasSubstr(method)) << name;
      ASSERT_EQ(found.hits.size(), limit) << name;
      for (const Hit& hit : found.hits) {
        for (const Hit& same : growing[i].hits) {
          if (same.point.id == hit.point.id) {
            EXPECT_EQ(Bits(same.score), Bits(hit.score)) << name;
          }
        }
      }
      if (exact) {
        const std::vector<PointId> all = IdsOf(growing[i]);
        EXPECT_EQ(IdsOf(found),
                  std::vector<PointId>(all.begin(), all.begin() + limit));
      }
    }
  };
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  compare("sealed scan", "scan", 250, true);
  compare("graph", "graph ef 10", 10, false);
  // The same vectors again: dead rows in the sealed segment, live growing.
  ASSERT_OK(docs->Upsert(SeededPoints(50, 100, kTestDimension), Unlimited()));
  compare("overwritten, scan", "scan", 250, true);
  compare("overwritten, graph", "graph ef 10", 10, false);
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  compare("merged, scan", "scan", 250, true);
  compare("merged, graph", "graph ef 10", 10, false);
}

INSTANTIATE_TEST_SUITE_P(Metrics, ScoreTest,
                         ::testing::Values(Metric::kCosine,
                                           Metric::kInnerProduct, Metric::kL2),
                         [](const auto& param) {
                           return std::string(MetricName(param.param));
                         });

// Ten copies of each of 60 vectors, spread over sealed and growing segments:
// equal scores come by ascending id, from any plan.
TEST_F(SearchTest, TiesComeByAscendingId) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension));
  std::mt19937_64 random(test::TestSeed());
  std::vector<uint64_t> ids(600);
  for (uint64_t id = 0; id < 600; ++id) {
    ids[id] = id;
  }
  std::shuffle(ids.begin(), ids.end(), random);
  for (size_t part = 0; part < 3; ++part) {
    std::vector<Point> points;
    for (size_t i = part * 200; i < part * 200 + 200; ++i) {
      points.push_back(
          MakePoint(ids[i], SeededVector(ids[i] % 60, kTestDimension)));
    }
    ASSERT_OK(docs->Upsert(std::move(points), Unlimited()));
    if (part < 2) {
      ASSERT_OK(docs->SealAndWait(Unlimited()));
    }
  }
  for (uint64_t group = 0; group < 60; ++group) {
    for (const bool exact : {false, true}) {
      for (const uint32_t limit : {1U, 4U, 10U}) {
        SearchQuery query =
            DenseQuery(SeededVector(group, kTestDimension), limit, exact);
        if (!exact) {
          std::get<DenseSource>(query.sources[0]).ef = 16;  // the graph
        }
        std::vector<PointId> expected;
        for (uint64_t copy = 0; copy < limit; ++copy) {
          expected.emplace_back(group + 60 * copy);
        }
        EXPECT_EQ(IdsOf(MustSearch(*docs, query)), expected)
            << (exact ? "exact" : "graph") << ", limit " << limit;
      }
    }
  }
}

// Pages of one search put together are the search without pages.
TEST_F(SearchTest, PagesAddUp) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 200, kTestDimension), Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  ASSERT_OK(docs->Upsert(SeededPoints(200, 37, kTestDimension), Unlimited()));
  SearchQuery query = DenseQuery(SeededVector(999, kTestDimension), 237, true);
  const std::vector<PointId> all = IdsOf(MustSearch(*docs, query));
  ASSERT_EQ(all.size(), 237U);
  std::vector<PointId> pages;
  query.limit = 50;
  for (query.offset = 0; query.offset < 300; query.offset += 50) {
    for (const PointId& id : IdsOf(MustSearch(*docs, query))) {
      pages.push_back(id);
    }
  }
  EXPECT_EQ(pages, all);
}

// All points within a radius, whatever the plan: complete, inclusive, and a
// smaller radius gives the beginning of a larger one's answer.
TEST_F(SearchTest, ARadiusHoldsAllThatScoreEnough) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 600, kTestDimension), Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  ASSERT_OK(docs->Upsert(SeededPoints(600, 100, kTestDimension), Unlimited()));
  const std::vector<float> vector = SeededVector(999, kTestDimension);
  const SearchResult all = MustSearch(*docs, DenseQuery(vector, 700, true));
  ASSERT_EQ(all.hits.size(), 700U);
  const std::vector<PointId> ids = IdsOf(all);
  for (const size_t count : {1U, 2U, 50U, 350U, 700U}) {
    SearchQuery query = DenseQuery(vector, 10000);
    query.cut_off = MinScore{all.hits[count - 1].score};  // that one is inside
    query.explain = true;
    const SearchResult found = MustSearch(*docs, query);
    EXPECT_EQ(found.expected_recall, 1);
    EXPECT_THAT(found.plan, HasSubstr("min score "));
    EXPECT_EQ(IdsOf(found),
              std::vector<PointId>(
                  ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count)));
    std::vector<PointId> pages;
    query.limit = 40;
    for (query.offset = 0; query.offset < 720; query.offset += 40) {
      for (const PointId& id : IdsOf(MustSearch(*docs, query))) {
        pages.push_back(id);
      }
    }
    EXPECT_EQ(pages, IdsOf(found));
  }
  SearchQuery none = DenseQuery(vector, 10);
  none.cut_off = MinScore{1.5};
  EXPECT_TRUE(MustSearch(*docs, none).hits.empty());
  // With an effort it ends at the score, but need not be complete.
  SearchQuery approximate = DenseQuery(vector, 50);
  approximate.cut_off = MinScore{all.hits[9].score};
  std::get<DenseSource>(approximate.sources[0]).ef = 50;
  const SearchResult found = MustSearch(*docs, approximate);
  EXPECT_LE(found.hits.size(), 10U);
  for (const Hit& hit : found.hits) {
    EXPECT_GE(hit.score, all.hits[9].score);
  }
}

TEST_F(SearchTest, AStoredPointIsLeftOutOfItsOwnAnswer) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 200, kTestDimension), Unlimited()));
  // Copies of point 7: equal scores, both ids before and after it.
  ASSERT_OK(
      docs->Upsert({MakePoint(uint64_t{3}, SeededVector(7, kTestDimension)),
                    MakePoint(uint64_t{9}, SeededVector(7, kTestDimension))},
                   Unlimited()));
  for (const bool sealed : {false, true}) {
    if (sealed) {
      ASSERT_OK(docs->SealAndWait(Unlimited()));
    }
    for (const uint32_t limit : {1U, 5U, 200U}) {
      SearchQuery query;
      query.limit = limit;
      query.sources = {DenseSource{"", PointId(uint64_t{7}), 0, false}};
      const SearchResult by_id = MustSearch(*docs, query);
      query.limit = limit + 1;
      query.sources = {
          DenseSource{"", SeededVector(7, kTestDimension), 0, false}};
      std::vector<PointId> expected = IdsOf(MustSearch(*docs, query));
      std::erase(expected, PointId(uint64_t{7}));
      expected.resize(std::min<size_t>(expected.size(), limit));
      EXPECT_EQ(IdsOf(by_id), expected) << "limit " << limit;
      EXPECT_EQ(by_id.hits.size(), std::min(limit, 199U));
    }
    SearchQuery paged;
    paged.limit = 2;
    paged.offset = 1;
    paged.sources = {DenseSource{"", PointId(uint64_t{7}), 0, false}};
    EXPECT_EQ(IdsOf(MustSearch(*docs, paged))[0], PointId(uint64_t{9}));
  }
  SearchQuery missing;
  missing.limit = 1;
  missing.sources = {DenseSource{"", PointId(uint64_t{12345}), 0, false}};
  EXPECT_THAT(docs->Search(missing, Unlimited()),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("sources[0].dense.stored_point")));
}

// Two fields under different metrics; some points lack one.
class TwoFieldTest : public SearchTest {
 protected:
  static Schema TwoFields() {
    Schema schema;
    schema.vector_fields.push_back({"text", 8, Metric::kCosine, {}});
    schema.vector_fields.push_back({"image", 5, Metric::kL2, {}});
    return schema;
  }
  // Point i lacks text when i % 3 == 0, image when i % 3 == 1.
  static Point MixedPoint(uint64_t id) {
    Point point{PointId(id), {}, absl::StrCat("{\"id\":", id, "}")};
    if (id % 3 != 0) {
      point.vectors.push_back({"text", SeededVector(id, 8)});
    }
    if (id % 3 != 1) {
      point.vectors.push_back({"image", SeededVector(id + 500, 5)});
    }
    return point;
  }
  static SearchQuery QueryOf(const char* field, std::vector<float> vector) {
    SearchQuery query = DenseQuery(std::move(vector), 400, true);
    std::get<DenseSource>(query.sources[0]).field = field;
    return query;
  }
};

TEST_F(TwoFieldTest, PointsWithoutTheFieldAreNotFoundByIt) {
  Open();
  auto docs = Create("docs", TwoFields());
  std::vector<Point> points;
  for (uint64_t id = 0; id < 300; ++id) {
    points.push_back(MixedPoint(id));
  }
  ASSERT_OK(docs->Upsert(std::move(points), Unlimited()));
  const auto check = [&](const Collection& collection) {
    for (const PointId& id :
         IdsOf(MustSearch(collection, QueryOf("text", SeededVector(1, 8))))) {
      EXPECT_NE(std::get<uint64_t>(id) % 3, 0U);
    }
    const SearchResult images =
        MustSearch(collection, QueryOf("image", SeededVector(502, 5)));
    EXPECT_EQ(images.hits.size(), 200U);
    EXPECT_EQ(images.hits[0].point.id, PointId(uint64_t{2}));
    EXPECT_EQ(images.hits[0].score, 0.0F);
    EXPECT_EQ(
        MustSearch(collection, QueryOf("text", SeededVector(1, 8))).hits.size(),
        200U);
  };
  check(*docs);
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  check(*docs);
  docs.reset();
  Reopen();
  check(*Find("docs"));
}

TEST_F(TwoFieldTest, StoredPointWithoutTheField) {
  Open();
  const auto docs = Create("docs", TwoFields());
  ASSERT_OK(
      docs->Upsert({MixedPoint(0), MixedPoint(1), MixedPoint(2)}, Unlimited()));
  SearchQuery query;
  query.limit = 5;
  query.sources = {DenseSource{"text", PointId(uint64_t{0}), 0, false}};
  EXPECT_THAT(docs->Search(query, Unlimited()),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("point 0 has no vector text")));
  query.sources = {DenseSource{"text", PointId(uint64_t{1}), 0, false}};
  EXPECT_EQ(IdsOf(MustSearch(*docs, query)),
            (std::vector<PointId>{uint64_t{2}}));
}

// An overwrite that drops a field takes the point out of that field's index.
TEST_F(TwoFieldTest, OverwriteMayDropAField) {
  Open();
  const auto docs = Create("docs", TwoFields());
  ASSERT_OK(docs->Upsert({MixedPoint(2)}, Unlimited()));
  Point without = MixedPoint(2);
  without.vectors.pop_back();
  ASSERT_OK(docs->Upsert({without}, Unlimited()));
  EXPECT_TRUE(
      MustSearch(*docs, QueryOf("image", SeededVector(1, 5))).hits.empty());
  EXPECT_EQ(MustSearch(*docs, QueryOf("text", SeededVector(1, 8))).hits.size(),
            1U);
}

TEST_F(TwoFieldTest, ProjectionDecidesWhatComesBack) {
  Open();
  const auto docs = Create("docs", TwoFields());
  ASSERT_OK(docs->Upsert({MixedPoint(2)}, Unlimited()));
  const PointId ids[] = {uint64_t{2}};
  const struct {
    Projection projection;
    size_t vectors;
    bool payload;
  } cases[] = {{{false, false, {}}, 0, false},
               {{true, false, {}}, 0, true},
               {{false, true, {}}, 2, false},
               {{true, false, {"image"}}, 1, true},
               {{false, false, {"image", "image", "text"}}, 2, false}};
  for (const auto& test : cases) {
    SearchQuery query = QueryOf("text", SeededVector(1, 8));
    query.projection = test.projection;
    const auto got = docs->Get(ids, test.projection, Unlimited());
    const auto page =
        docs->Scroll(std::nullopt, 5, test.projection, Unlimited());
    ASSERT_OK(got);
    ASSERT_OK(page);
    for (const Point& point :
         {MustSearch(*docs, query).hits[0].point, (*got)[0], page->points[0]}) {
      EXPECT_EQ(point.id, ids[0]);
      EXPECT_EQ(point.vectors.size(), test.vectors);
      EXPECT_EQ(point.payload, test.payload ? "{\"id\":2}" : "");
      for (const NamedVector& vector : point.vectors) {
        // As written, not normalised.
        EXPECT_EQ(vector.values, vector.field == "text" ? SeededVector(2, 8)
                                                        : SeededVector(502, 5));
      }
    }
  }
}

TEST_F(SearchTest, EndsWithItsContext) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 200, kTestDimension), Unlimited()));
  RequestContextOptions options;
  options.deadline = std::chrono::steady_clock::now();
  const RequestContext late(std::move(options));
  const SearchQuery query = DenseQuery(SeededVector(1, kTestDimension), 5);
  EXPECT_THAT(docs->Search(query, late),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  // Cancelled in the middle: the loops ask too.
  int asked = 0;
  RequestContextOptions counting;
  counting.is_cancelled = [&] { return ++asked > 2; };
  EXPECT_THAT(docs->Search(query, RequestContext(std::move(counting))),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(SearchTest, LargeAnswersAreRefusedBeforeTheyFillMemory) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension));
  std::vector<Point> points = SeededPoints(0, 300, kTestDimension);
  for (Point& point : points) {
    point.payload = "{\"a\":\"" + std::string(10'000, 'x') + "\"}";
  }
  ASSERT_OK(docs->Upsert(std::move(points), Unlimited()));
  SearchQuery query = DenseQuery(SeededVector(1, kTestDimension), 300);
  query.projection.payload = true;
  EXPECT_EQ(MustSearch(*docs, query).hits.size(), 300U);
  query.fetch_bytes_max = 1'000'000;
  EXPECT_THAT(docs->Search(query, Unlimited()),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("larger than 1000000 bytes")));
  query.limit = 90;
  EXPECT_EQ(MustSearch(*docs, query).hits.size(), 90U);
  query.limit = 300;
  query.projection.payload = false;
  EXPECT_EQ(MustSearch(*docs, query).hits.size(), 300U);
}

TEST_F(SearchTest, EmptyCollectionAnswersEmpty) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension));
  const SearchQuery query = DenseQuery(SeededVector(1, kTestDimension), 5);
  EXPECT_TRUE(MustSearch(*docs, query).hits.empty());
  ASSERT_OK(docs->Upsert(SeededPoints(0, 1, kTestDimension), Unlimited()));
  const PointId ids[] = {uint64_t{0}};
  ASSERT_OK(docs->Delete(ids, Unlimited()));
  EXPECT_TRUE(MustSearch(*docs, query).hits.empty());
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_TRUE(MustSearch(*docs, query).hits.empty());
  EXPECT_EQ(docs->Info().index.dead_rows, 0U);
}

}  // namespace
}  // namespace sextant
