// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/limits.h"
#include "engine/validate_query.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::OneFieldSchema;
using ::testing::HasSubstr;

// Beam width of the only segment.
uint32_t EffortOf(const Plan& plan) {
  EXPECT_EQ(plan.dense.segments.size(), 1U);
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kGraph);
  return plan.dense.segments[0].effort.ef;
}

DenseSource& Dense(SearchQuery* query) {
  return std::get<DenseSource>(query->sources[0]);
}

struct QueryCase {
  const char* name;
  std::function<void(SearchQuery*)> change;
  const char* path;  // of the error; null: valid
  const char* error = "";
};

class ValidateQueryTest : public ::testing::TestWithParam<QueryCase> {};

TEST_P(ValidateQueryTest, Checks) {
  SearchQuery query = DenseQuery({1, 2}, 10);
  GetParam().change(&query);
  const absl::Status valid = ValidateQuery(OneFieldSchema(2), query);
  if (GetParam().path == nullptr) {
    ASSERT_OK(valid);
    return;
  }
  EXPECT_THAT(valid, StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr(GetParam().error)));
  EXPECT_EQ(InvalidFieldPath(valid), GetParam().path);
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidateQueryTest,
    ::testing::Values(
        QueryCase{"Plain", [](SearchQuery*) {}, nullptr},
        QueryCase{"NoSource", [](SearchQuery* q) { q->sources.clear(); },
                  "sources", "got 0"},
        QueryCase{"TwoSources",
                  [](SearchQuery* q) { q->sources.push_back(q->sources[0]); },
                  nullptr},
        QueryCase{"LimitZero", [](SearchQuery* q) { q->limit = 0; }, "limit",
                  "must be 1 to 10000, got 0"},
        QueryCase{"LimitLargest", [](SearchQuery* q) { q->limit = 10000; },
                  nullptr},
        QueryCase{"LimitTooLarge", [](SearchQuery* q) { q->limit = 10001; },
                  "limit", "got 10001"},
        QueryCase{"LimitTwoToThe31",
                  [](SearchQuery* q) { q->limit = 1U << 31U; }, "limit",
                  "got 2147483648"},
        QueryCase{"LimitAllBits", [](SearchQuery* q) { q->limit = 0xFFFFFFFF; },
                  "limit", "got 4294967295"},
        QueryCase{"OffsetLargest", [](SearchQuery* q) { q->offset = 9990; },
                  nullptr},
        QueryCase{"OffsetTooLarge", [](SearchQuery* q) { q->offset = 9991; },
                  "offset", "got 9991 + 10"},
        QueryCase{"OffsetOverflows",
                  [](SearchQuery* q) { q->offset = 0xFFFFFFFF; }, "offset",
                  "at most 10000"},
        QueryCase{"EfLargest",
                  [](SearchQuery* q) { Dense(q).ef = limits::kEfMax; },
                  nullptr},
        QueryCase{"EfTooLarge",
                  [](SearchQuery* q) { Dense(q).ef = limits::kEfMax + 1; },
                  "sources[0].dense.ef", "got 10001"},
        QueryCase{"Exact", [](SearchQuery* q) { Dense(q).exact = true; },
                  nullptr},
        QueryCase{"ExactWithEf",
                  [](SearchQuery* q) {
                    Dense(q).exact = true;
                    Dense(q).ef = 5;
                  },
                  "sources[0].dense.ef", "no meaning"},
        QueryCase{"MinScore",
                  [](SearchQuery* q) { q->cut_off = MinScore{-1e30}; },
                  nullptr},
        QueryCase{"MinScoreNotANumber",
                  [](SearchQuery* q) { q->cut_off = MinScore{std::nan("")}; },
                  "cut_off.min_score", "must be finite, got nan"},
        QueryCase{"RecallTarget", [](SearchQuery* q) { q->recall_target = 1; },
                  nullptr},
        QueryCase{"RecallTargetAboveOne",
                  [](SearchQuery* q) { q->recall_target = 1.01; },
                  "recall_target", "at most 1, or 0 for the default, got 1.01"},
        QueryCase{"RecallTargetBelowZero",
                  [](SearchQuery* q) { q->recall_target = -0.5; },
                  "recall_target", "got -0.5"},
        QueryCase{"RecallTargetNotANumber",
                  [](SearchQuery* q) { q->recall_target = std::nan(""); },
                  "recall_target", "got nan"},
        QueryCase{"RecallTargetWithEf",
                  [](SearchQuery* q) {
                    q->recall_target = 0.9;
                    Dense(q).ef = 50;
                  },
                  "recall_target", "not together with sources[0].dense.ef"},
        QueryCase{"RecallTargetWithExact",
                  [](SearchQuery* q) {
                    q->recall_target = 0.9;
                    Dense(q).exact = true;
                  },
                  "recall_target", "not together with sources[0].dense.exact"},
        QueryCase{"FieldByName",
                  [](SearchQuery* q) { Dense(q).field = "embedding"; },
                  nullptr},
        QueryCase{"UnknownField",
                  [](SearchQuery* q) { Dense(q).field = "sound"; },
                  "sources[0].dense.field", "no such"},
        QueryCase{"WrongDimension",
                  [](SearchQuery* q) {
                    Dense(q).target = std::vector<float>{1, 2, 3};
                  },
                  "sources[0].dense.vector", "expected 2 numbers, got 3"},
        QueryCase{
            "NoVector",
            [](SearchQuery* q) { Dense(q).target = std::vector<float>(); },
            "sources[0].dense.vector", "got 0"},
        QueryCase{"ZeroVector",
                  [](SearchQuery* q) {
                    Dense(q).target = std::vector<float>{0, 0};
                  },
                  "sources[0].dense.vector", "all zeros"},
        QueryCase{
            "StoredPoint",
            [](SearchQuery* q) { Dense(q).target = PointId(uint64_t{1}); },
            nullptr},
        QueryCase{
            "StoredPointOfWrongKind",
            [](SearchQuery* q) { Dense(q).target = PointId(std::string("a")); },
            "sources[0].dense.stored_point", "unsigned 64-bit"},
        QueryCase{"ProjectedField",
                  [](SearchQuery* q) { q->projection.vectors = {"embedding"}; },
                  nullptr},
        QueryCase{"UnknownProjectedField",
                  [](SearchQuery* q) {
                    q->projection.vectors = {"embedding", "sound"};
                  },
                  "projection.vectors[1]", "no such"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(PlanTest, SmallSegmentsWithBinaryCodesAreScannedByThem) {
  const SegmentFacts facts{
      .has_graph = true, .rows = 1000, .has_binary_codes = true};
  SegmentFacts large = facts;
  large.rows = 1'000'000;
  SearchQuery query = test::DenseQuery({1, 2}, 10);
  Plan plan = PlanSearch(query, 0, {.ef = 100}, {facts, large});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kCodeScan);
  EXPECT_EQ(plan.dense.segments[1].method, SearchMethod::kGraph);
  EXPECT_THAT(plan.ToString(OneFieldSchema(2)), HasSubstr("code scan"));
  query = test::DenseQuery({1, 2}, 10, /*exact=*/true);
  plan = PlanSearch(query, 0, {.ef = 100}, {facts, large});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kScan);
  EXPECT_EQ(plan.dense.segments[1].method, SearchMethod::kScan);
}

TEST(ValidateQueryTest, SeveralFieldsMustBeNamed) {
  Schema schema = OneFieldSchema(2);
  schema.vector_fields.push_back({"image", 3, Metric::kL2, {}});
  SearchQuery query = DenseQuery({1, 2}, 10);
  EXPECT_EQ(InvalidFieldPath(ValidateQuery(schema, query)),
            "sources[0].dense.field");
  Dense(&query).field = "image";
  Dense(&query).target = std::vector<float>{1, 2, 3};
  ASSERT_OK(ValidateQuery(schema, query));
  EXPECT_EQ(VectorFieldOf(schema, Dense(&query)), 1);
}

struct MethodCase {
  const char* name;
  SegmentFacts facts;
  uint32_t ef;
  bool exact;
  SearchMethod method;
};

class PlanMethodTest : public ::testing::TestWithParam<MethodCase> {};

TEST_P(PlanMethodTest, Chooses) {
  SearchQuery query = DenseQuery({1, 2}, 10, GetParam().exact);
  Dense(&query).ef = GetParam().ef;
  const Plan plan = PlanSearch(query, 0, {.ef = 100}, {GetParam().facts});
  ASSERT_EQ(plan.dense.segments.size(), 1U);
  EXPECT_EQ(plan.dense.segments[0].method, GetParam().method);
}

constexpr uint64_t kManyRows = kScanRowsPerEf * 100 + 1;

INSTANTIATE_TEST_SUITE_P(
    All, PlanMethodTest,
    ::testing::Values(MethodCase{"LargeWithGraph",
                                 {1, false, true, kManyRows, 0},
                                 0,
                                 false,
                                 SearchMethod::kGraph},
                      MethodCase{"JustTooSmall",
                                 {1, false, true, kManyRows - 1, 0},
                                 0,
                                 false,
                                 SearchMethod::kScan},
                      MethodCase{"SmallWithNarrowBeam",
                                 {1, false, true, 200, 0},
                                 10,
                                 false,
                                 SearchMethod::kGraph},
                      MethodCase{"WideBeam",
                                 {1, false, true, kManyRows, 0},
                                 1000,
                                 false,
                                 SearchMethod::kScan},
                      MethodCase{"NoGraph",
                                 {1, false, false, kManyRows, 0},
                                 0,
                                 false,
                                 SearchMethod::kScan},
                      MethodCase{"Growing",
                                 {1, true, false, kManyRows, 0},
                                 0,
                                 false,
                                 SearchMethod::kScan},
                      MethodCase{"Exact",
                                 {1, false, true, kManyRows, 0},
                                 0,
                                 true,
                                 SearchMethod::kScan}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(PlanTest, BeamIsNeverNarrowerThanTheAnswer) {
  SearchQuery query = DenseQuery({1, 2}, 300);
  query.offset = 50;
  Dense(&query).ef = 10;
  const std::vector<SegmentFacts> facts = {{1, false, true, 1 << 20, 0}};
  EXPECT_EQ(PlanSearch(query, 0, {.ef = 100}, {}).dense.candidates, 350U);
  EXPECT_EQ(EffortOf(PlanSearch(query, 0, {.ef = 100}, facts)), 350U);
  Dense(&query).target = PointId(uint64_t{1});  // one more, to leave it out
  EXPECT_EQ(PlanSearch(query, 0, {.ef = 100}, {}).dense.candidates, 351U);
  query.limit = 10;
  query.offset = 0;
  Dense(&query).ef = 0;
  EXPECT_EQ(EffortOf(PlanSearch(query, 0, {.ef = 100}, facts)), 100U);
}

// Without error bars: misses count 1.25 times.
RecallCurve Curve(uint32_t factor) {
  return RecallCurve({{{.ef = 10 * factor}, {0.6F, 0.6F, 0.6F}, {}},
                      {{.ef = 100 * factor}, {0.96F, 0.96F, 0.96F}, {}},
                      {{.ef = 1000 * factor}, {0.996F, 0.996F, 0.996F}, {}}},
                     100, 1);
}

TEST(PlanTest, ATargetBecomesSlackWhereThatWasMeasured) {
  const RecallCurve curve({{{.ef = 4096, .slack = 0.1F},
                            {0.96F, 0.96F, 0.96F},
                            {},
                            {5000, 5000, 5000}}},
                          100, 1);
  SearchQuery query = DenseQuery({1, 2}, 10);
  query.recall_target = 0.9;
  // 5,000 distances are fewer than the rows of the second segment only.
  const Plan plan = PlanSearch(
      query, 0, {},
      {{1, false, true, 4999, 0, &curve}, {2, false, true, 50000, 0, &curve}});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kScan);
  EXPECT_EQ(plan.dense.segments[1].method, SearchMethod::kGraph);
  EXPECT_THAT(plan.ToString(OneFieldSchema(2)),
              HasSubstr("sealed segment 2: graph slack 0.1 recall 0.9, rows "
                        "50000"));
}

TEST(PlanTest, EachSegmentGetsTheEffortThatItsOwnCurveAsksFor) {
  const RecallCurve easy = Curve(1);
  const RecallCurve hard = Curve(3);
  const std::vector<SegmentFacts> facts = {{1, false, true, 1000000, 0, &easy},
                                           {2, false, true, 1000000, 0, &hard},
                                           {3, true, false, 2000, 0, nullptr}};
  SearchQuery query = DenseQuery({1, 2}, 10);
  const Plan plan = PlanSearch(query, 0, {.recall_target = 0.95}, facts);
  EXPECT_EQ(plan.dense.recall_target, 0.95);
  EXPECT_NEAR(plan.dense.segments[0].effort.ef, 100, 1);
  EXPECT_NEAR(plan.dense.segments[1].effort.ef, 300, 2);
  EXPECT_EQ(plan.dense.segments[2].method, SearchMethod::kScan);
  // The growing rows are found for certain.
  EXPECT_NEAR(plan.dense.expected_recall, 0.95 + 0.05 * 0.001, 1e-6);
  query.recall_target = 0.97;  // the request goes before the default
  EXPECT_GT(PlanSearch(query, 0, {}, facts).dense.segments[0].effort.ef, 150U);
}

struct FilterCase {
  const char* name;
  uint64_t matching;
  SearchMethod method;
};

class PlanFilterTest : public ::testing::TestWithParam<FilterCase> {};

// A graph search for 0.95 takes about 5,000 distances of 1,000,000 rows; where
// a share s of them matches, 5,000 / s. Comparing with them is s * 1,000,000.
TEST_P(PlanFilterTest, Chooses) {
  const RecallCurve curve({{{.ef = 4096, .slack = 0.1F},
                            {0.99F, 0.99F, 0.99F},
                            {},
                            {5000, 5000, 5000}}},
                          100, 1);
  SegmentFacts facts{1, false, true, 1'000'000, 0, &curve};
  facts.matching = GetParam().matching;
  SearchQuery query = DenseQuery({1, 2}, 10);
  const Plan plan = PlanSearch(query, 0, {.recall_target = 0.95}, {facts});
  EXPECT_EQ(plan.dense.segments[0].method, GetParam().method);
  // Of a graph under a filter nobody measured it.
  EXPECT_EQ(plan.dense.expected_recall,
            GetParam().method == SearchMethod::kGraph ? 0 : 1);
  EXPECT_THAT(plan.ToString(OneFieldSchema(2)),
              HasSubstr(absl::StrCat("matching ", GetParam().matching)));
}

INSTANTIATE_TEST_SUITE_P(
    All, PlanFilterTest,
    ::testing::Values(FilterCase{"Nothing", 0, SearchMethod::kNone},
                      FilterCase{"One", 1, SearchMethod::kScanMatches},
                      FilterCase{"Few", 50'000, SearchMethod::kScanMatches},
                      FilterCase{"Many", 100'000, SearchMethod::kGraph},
                      FilterCase{"All", 1'000'000, SearchMethod::kGraph}),
    [](const auto& param) { return std::string(param.param.name); });

// Unless searches like it were repeated exactly.
TEST(PlanTest, TheRecallOfAFilteredGraphIsWhatProbesFound) {
  const RecallCurve curve({{{.ef = 4096, .slack = 0.1F},
                            {0.99F, 0.99F, 0.99F},
                            {},
                            {5000, 5000, 5000}}},
                          100, 1);
  SegmentFacts facts{1, false, true, 1'000'000, 0, &curve};
  facts.matching = 500'000;
  const Plan plan =
      PlanSearch(DenseQuery({1, 2}, 10), 0,
                 {.recall_target = 0.95, .filtered_recall = 0.97}, {facts});
  ASSERT_EQ(plan.dense.segments[0].method, SearchMethod::kGraph);
  EXPECT_EQ(plan.dense.expected_recall, 0.97);
}

// Estimating 200,000 rows by their codes takes as long as 50,000 distances of a
// graph search; that would take 5,000 / 0.2.
TEST(PlanTest, CodesEstimateMoreMatchesThanFloatsScore) {
  const RecallCurve curve({{{.ef = 4096, .slack = 0.1F},
                            {0.99F, 0.99F, 0.99F},
                            {},
                            {5000, 5000, 5000}}},
                          100, 1);
  SegmentFacts facts{1, false, true, 1'000'000, 0, &curve};
  facts.has_codes = true;
  SearchQuery query = DenseQuery({1, 2}, 10);
  const auto method_for = [&](uint64_t matching) {
    facts.matching = matching;
    return PlanSearch(query, 0, {.recall_target = 0.95}, {facts})
        .dense.segments[0]
        .method;
  };
  EXPECT_EQ(method_for(0), SearchMethod::kNone);
  EXPECT_EQ(method_for(100'000), SearchMethod::kEstimateMatches);
  EXPECT_EQ(method_for(200'000), SearchMethod::kGraph);
  // All that match are scored where all of the nearest are wanted.
  query.recall_target = 1;
  EXPECT_EQ(method_for(100'000), SearchMethod::kScanMatches);
  query.recall_target = 0;
  facts.scores_by_codes = true;
  EXPECT_NE(method_for(100'000), SearchMethod::kEstimateMatches);
}

// 500 us for the rows that match, or 5,000 / 0.4 distances; the third way
// depends on what lies in the window.
TEST(PlanTest, CostsDecideAmongTheWaysToSearchUnderAFilter) {
  const RecallCurve curve({{{.ef = 4096, .slack = 0.1F},
                            {0.99F, 0.99F, 0.99F},
                            {},
                            {5000, 5000, 5000}}},
                          100, 1);
  SegmentFacts facts{1, false, true, 100'000, 0, &curve};
  facts.has_codes = true;
  facts.matching = 40'000;
  const SearchQuery query = DenseQuery({1, 2}, 10);
  const auto plan_for = [&](const SearchCosts& costs) {
    facts.costs = costs;
    return PlanSearch(query, 0, {.recall_target = 0.95}, {facts});
  };
  const SearchCosts costs = {60, 12.5, 80, 30};
  const Plan cheap_codes = plan_for(costs);
  EXPECT_EQ(cheap_codes.dense.segments[0].method,
            SearchMethod::kEstimateMatches);
  EXPECT_THAT(cheap_codes.ToString(OneFieldSchema(2)),
              HasSubstr("scan of matches by codes (matches 500 us, scan 3e+03 "
                        "us, graph 750 us)"));
  EXPECT_EQ(plan_for({60, 25, 80, 30}).dense.segments[0].method,
            SearchMethod::kGraph);
  EXPECT_EQ(plan_for({60, 25, 80, 5}).dense.segments[0].method,
            SearchMethod::kScan);
}

TEST(PlanTest, AnExactSearchReadsInOrderWhereManyMatch) {
  SegmentFacts facts{1, false, true, 1000, 0};
  SearchQuery query = DenseQuery({1, 2}, 10, true);
  facts.matching = 250;
  EXPECT_EQ(PlanSearch(query, 0, {}, {facts}).dense.segments[0].method,
            SearchMethod::kScanMatches);
  facts.matching = 251;
  EXPECT_EQ(PlanSearch(query, 0, {}, {facts}).dense.segments[0].method,
            SearchMethod::kScan);
  // Growing rows are always read in order.
  facts.growing = true;
  facts.matching = 1;
  EXPECT_EQ(PlanSearch(query, 0, {}, {facts}).dense.segments[0].method,
            SearchMethod::kScan);
}

TEST(PlanTest, AHigherTargetNeverTriesLess) {
  const RecallCurve curve = Curve(1);
  const std::vector<SegmentFacts> facts = {
      {1, false, true, 10000000, 0, &curve}};
  SearchQuery query = DenseQuery({1, 2}, 10);
  uint32_t last = 0;
  bool scanned = false;
  for (int percent = 1; percent <= 100; ++percent) {
    query.recall_target = percent / 100.0;
    const Plan plan = PlanSearch(query, 0, {}, facts);
    const SegmentPlan& segment = plan.dense.segments[0];
    if (segment.method == SearchMethod::kScan) {
      scanned = true;
      EXPECT_EQ(plan.dense.expected_recall, 1) << percent;
      continue;
    }
    EXPECT_FALSE(scanned) << percent;
    EXPECT_GE(segment.effort.ef, last) << percent;
    EXPECT_NEAR(plan.dense.expected_recall, query.recall_target, 1e-12);
    last = segment.effort.ef;
  }
  EXPECT_TRUE(scanned) << "a target of 1 compares with every point";
}

TEST(PlanTest, WhatNoEffortReachesIsScanned) {
  const RecallCurve curve = Curve(1);  // 0.995 at most
  SearchQuery query = DenseQuery({1, 2}, 10);
  query.recall_target = 0.996;
  const Plan plan =
      PlanSearch(query, 0, {}, {{1, false, true, 10000000, 0, &curve}});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kScan);
  EXPECT_EQ(plan.dense.expected_recall, 1);
}

TEST(PlanTest, SegmentsThatScoreByCodesAreScannedOnlyWhenAsked) {
  const RecallCurve curve = Curve(1);  // 0.995 at most
  const SegmentFacts facts{.has_graph = true,
                           .rows = 1000,
                           .recall_curve = &curve,
                           .has_binary_codes = true,
                           .scores_by_codes = true};
  SearchQuery query = DenseQuery({1, 2}, 10);
  query.recall_target = 0.9;
  Plan plan = PlanSearch(query, 0, {}, {facts});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kGraph);
  EXPECT_EQ(plan.dense.expected_recall, 0.9);
  EXPECT_THAT(plan.ToString(OneFieldSchema(2)), HasSubstr("scored by codes"));
  // What they cannot reach: nearly the best that they can.
  query.recall_target = 0.999;
  plan = PlanSearch(query, 0, {}, {facts});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kGraph);
  EXPECT_LT(plan.dense.expected_recall, 0.995);
  EXPECT_GT(plan.dense.expected_recall, 0.98);
  query.recall_target = 1;
  plan = PlanSearch(query, 0, {}, {facts});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kScan);
  EXPECT_EQ(plan.dense.expected_recall, 1);
  query.recall_target = 0;
  Dense(&query).exact = true;
  plan = PlanSearch(query, 0, {}, {facts});
  EXPECT_EQ(plan.dense.segments[0].method, SearchMethod::kScan);
}

TEST(PlanTest, SmallSegmentsAreSearchedWell) {
  const RecallCurve curve = Curve(1);
  const SearchQuery query = DenseQuery({1, 2}, 10);
  const SegmentFacts small{1, false, true, kSmallSegmentRows, 0, &curve};
  SegmentFacts large = small;
  ++large.rows;
  EXPECT_GT(EffortOf(PlanSearch(query, 0, {}, {small})),
            3 * EffortOf(PlanSearch(query, 0, {}, {large})));
}

TEST(PlanTest, WithoutACurveTheRecallIsNotKnown) {
  const SearchQuery query = DenseQuery({1, 2}, 10);
  const RecallCurve curve = Curve(1);
  const std::vector<SegmentFacts> facts = {{1, false, true, 1000000, 0, &curve},
                                           {2, false, true, 1000000, 0}};
  const Plan plan = PlanSearch(query, 0, {}, facts);
  EXPECT_EQ(plan.dense.segments[1].effort.ef, kDefaultEf);
  EXPECT_EQ(plan.dense.expected_recall, 0);
}

TEST(PlanTest, AGivenEffortIsForetoldByTheCurve) {
  SearchQuery query = DenseQuery({1, 2}, 10);
  Dense(&query).ef = 100;
  const RecallCurve curve = Curve(1);
  const Plan plan =
      PlanSearch(query, 0, {}, {{1, false, true, 1000000, 0, &curve}});
  EXPECT_EQ(plan.dense.recall_target, 0);
  EXPECT_NEAR(plan.dense.expected_recall, 0.95, 1e-3);
}

TEST(PlanTest, PrintsTheTarget) {
  const RecallCurve curve = Curve(1);
  SearchQuery query = DenseQuery({1, 2}, 10);
  query.recall_target = 0.9;
  EXPECT_THAT(PlanSearch(query, 0, {}, {{7, false, true, 300000, 12, &curve}})
                  .ToString(OneFieldSchema(2)),
              testing::MatchesRegex(
                  "search limit 10 offset 0\n"
                  "  dense embedding cosine dimension 2 candidates 10 recall "
                  "target 0.9\n"
                  "    sealed segment 7: graph ef [0-9]+ recall 0.9, rows "
                  "300000, dead 12\n"));
}

TEST(PlanTest, PrintsWhatItDoes) {
  SearchQuery query = DenseQuery({1, 2}, 10);
  query.offset = 5;
  query.projection.payload = true;
  query.projection.all_vectors = true;
  const std::vector<SegmentFacts> facts = {{7, false, true, 300000, 12},
                                           {9, true, false, 200, 0}};
  EXPECT_EQ(
      PlanSearch(query, 0, {.ef = 200}, facts).ToString(OneFieldSchema(2)),
      "search limit 10 offset 5\n"
      "  dense embedding cosine dimension 2 candidates 15\n"
      "    sealed segment 7: graph ef 200, rows 300000, dead 12\n"
      "    growing segment 9: scan, rows 200, dead 0\n"
      "  fetch payload vectors\n");
  query.projection = {};
  EXPECT_EQ(PlanSearch(query, 0, {.ef = 200}, {}).ToString(OneFieldSchema(2)),
            "search limit 10 offset 5\n"
            "  dense embedding cosine dimension 2 candidates 15\n");
}

}  // namespace
}  // namespace sextant
