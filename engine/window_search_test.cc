// SPDX-License-Identifier: Apache-2.0
//
// Searches in windows of a field, against an obvious implementation: values in
// order, values with many ties, negative and extreme ones, under every metric,
// over sealed and growing segments with dead rows.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "filters/filter_text.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::MakePoint;
using test::OneFieldSchema;
using test::SeededVector;
using test::Unlimited;
using ::testing::HasSubstr;

constexpr size_t kTestDimension = 16;
constexpr uint64_t kTestPoints = 3000;
constexpr uint32_t kHits = 10;
constexpr uint64_t kTestSeed = 77;
constexpr int64_t kLow = std::numeric_limits<int64_t>::min();
constexpr int64_t kHigh = std::numeric_limits<int64_t>::max();

struct WindowCase {
  std::string name;
  Metric metric = Metric::kCosine;
  FieldType type = FieldType::kInteger;
  std::function<int64_t(uint64_t)> value;  // of a point
};

class WindowSearchTest : public test::DatabaseFixture,
                         public testing::WithParamInterface<WindowCase> {
 protected:
  void SetUp() override {
    Open();
    Schema schema = OneFieldSchema(kTestDimension, GetParam().metric);
    schema.payload_fields = {{"at", GetParam().type, true},
                             {"odd", FieldType::kBoolean}};
    docs_ = Create("docs", schema);
    // Sealed, some of it overwritten, some deleted, the last of it growing.
    Write(0, 2400);
    ASSERT_OK(docs_->SealAndWait(Unlimited()));
    Write(2200, 2800);
    ASSERT_OK(docs_->SealAndWait(Unlimited()));
    Write(2800, kTestPoints);
    std::vector<PointId> dead;
    for (uint64_t id = 0; id < kTestPoints; id += 13) {
      dead.emplace_back(id);
    }
    ASSERT_OK(docs_->Delete(dead, Unlimited()));
  }

  static bool IsAlive(uint64_t id) { return id % 13 != 0; }
  static bool HasValue(uint64_t id) { return id % 11 != 0; }

  void Write(uint64_t first, uint64_t end) {
    for (uint64_t id = first; id < end;) {
      std::vector<Point> points;
      for (; id < end && points.size() < 100; ++id) {
        points.push_back(MakePoint(
            id, SeededVector(id, kTestDimension),
            absl::StrCat("{\"odd\":", id % 2 == 1 ? "true" : "false",
                         HasValue(id)
                             ? absl::StrCat(",\"at\":", GetParam().value(id))
                             : "",
                         "}")));
      }
      ASSERT_OK(docs_->Upsert(std::move(points), Unlimited()));
    }
  }

  SearchResult MustSearch(uint64_t seed, const std::string& filter,
                          bool exact) const {
    SearchQuery query = DenseQuery(
        SeededVector(1'000'000 + seed, kTestDimension), kHits, exact);
    auto parsed = ParseFilter(filter);
    CHECK(parsed.ok()) << parsed.status().ToString();
    query.filter = *std::move(parsed);
    query.explain = true;
    auto result = docs_->Search(query, Unlimited());
    CHECK(result.ok()) << result.status().ToString();
    return *std::move(result);
  }

  // The share of the exact hits that was found. Every hit has the score that an
  // exact search gives it and lies in the window; there are as many.
  double Recall(uint64_t seed, const std::string& filter,
                const std::function<bool(uint64_t)>& holds) const {
    const SearchResult exact = MustSearch(seed, filter, true);
    const SearchResult found = MustSearch(seed, filter, false);
    uint64_t matching = 0;
    for (uint64_t id = 0; id < kTestPoints; ++id) {
      matching += IsAlive(id) && HasValue(id) && holds(id) ? 1U : 0U;
    }
    const size_t there = std::min<size_t>(matching, kHits);
    EXPECT_EQ(exact.hits.size(), there) << filter;
    EXPECT_EQ(found.hits.size(), there) << filter << "\n" << found.plan;
    std::map<uint64_t, float> scores;
    for (const Hit& hit : exact.hits) {
      scores[std::get<uint64_t>(hit.point.id)] = hit.score;
    }
    double right = 0;
    for (const Hit& hit : found.hits) {
      const auto id = std::get<uint64_t>(hit.point.id);
      EXPECT_TRUE(IsAlive(id) && HasValue(id) && holds(id)) << filter;
      if (const auto same = scores.find(id); same != scores.end()) {
        EXPECT_EQ(same->second, hit.score) << filter;
        ++right;
      }
    }
    return there == 0 ? 1 : right / static_cast<double>(there);
  }

  void OneEndAndAnotherField() const {
    const int64_t middle = GetParam().value(kTestPoints / 2);
    EXPECT_GE(
        Recall(1, absl::StrCat("at >= ", middle),
               [&](uint64_t id) { return GetParam().value(id) >= middle; }),
        0.9);
    EXPECT_GE(Recall(2, absl::StrCat("at < ", middle, " and odd"),
                     [&](uint64_t id) {
                       return GetParam().value(id) < middle && id % 2 == 1;
                     }),
              0.9);
    EXPECT_EQ(Recall(3, absl::StrCat("at > ", middle, " and at < ", middle),
                     [](uint64_t) { return false; }),
              1);
  }

  void ThePlanSaysHow() const {
    const SearchResult found =
        MustSearch(5, absl::StrCat("at >= ", GetParam().value(7)), false);
    EXPECT_THAT(found.plan, HasSubstr("window "));
    EXPECT_THAT(found.plan, HasSubstr("in the window "));
  }

  void TheSameAfterARestart() {
    const std::string filter = absl::StrCat("at >= ", GetParam().value(100));
    const std::vector<PointId> before =
        test::IdsOf(MustSearch(9, filter, true));
    docs_.reset();
    Close();
    Open();
    docs_ = Find("docs");
    EXPECT_EQ(test::IdsOf(MustSearch(9, filter, true)), before);
    EXPECT_GE(Recall(9, filter,
                     [](uint64_t id) {
                       return GetParam().value(id) >= GetParam().value(100);
                     }),
              0.9);
  }

  std::shared_ptr<Collection> docs_;
};

TEST_P(WindowSearchTest, FindsWhatAnExactSearchFinds) {
  std::vector<int64_t> values = {kLow, kHigh, 0};
  for (uint64_t id = 0; id < kTestPoints; ++id) {
    values.push_back(GetParam().value(id));
  }
  std::mt19937_64 random(kTestSeed);
  double recall = 0;
  constexpr int kSearches = 120;
  for (int i = 0; i < kSearches; ++i) {
    int64_t low = values[random() % values.size()];
    int64_t high = values[random() % values.size()];
    if (low > high) {
      std::swap(low, high);
    }
    if (i % 4 == 0) {
      high = low;  // one value
    }
    const bool open = i % 3 == 0;
    const std::string filter =
        open ? absl::StrCat("at > ", low, " and at < ", high)
             : absl::StrCat("at >= ", low, " and at <= ", high);
    recall += Recall(static_cast<uint64_t>(i), filter, [&](uint64_t id) {
      const int64_t at = GetParam().value(id);
      return open ? at > low && at < high : at >= low && at <= high;
    });
  }
  EXPECT_GE(recall / kSearches, 0.97) << "seed " << kTestSeed;
  OneEndAndAnotherField();
  ThePlanSaysHow();
  TheSameAfterARestart();
}

INSTANTIATE_TEST_SUITE_P(
    Values, WindowSearchTest,
    testing::Values(
        WindowCase{
            "Shuffled", Metric::kCosine, FieldType::kInteger,
            [](uint64_t id) { return static_cast<int64_t>(id * 7919 % 3001); }},
        WindowCase{"TimesInOrder", Metric::kL2, FieldType::kTimestamp,
                   [](uint64_t id) {
                     return static_cast<int64_t>(1'700'000'000'000'000 +
                                                 id * 1'000'000);
                   }},
        WindowCase{"HeavyTies", Metric::kInnerProduct, FieldType::kInteger,
                   [](uint64_t id) { return static_cast<int64_t>(id % 3); }},
        WindowCase{"AllTheSame", Metric::kCosine, FieldType::kFloat,
                   [](uint64_t) { return int64_t{4}; }},
        WindowCase{"NegativeAndExtreme", Metric::kL2, FieldType::kInteger,
                   [](uint64_t id) {
                     return id % 50 == 1   ? kLow
                            : id % 50 == 2 ? kHigh
                                           : static_cast<int64_t>(id) - 1500;
                   }}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sextant
