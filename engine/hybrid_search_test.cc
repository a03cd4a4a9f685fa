// SPDX-License-Identifier: Apache-2.0
//
// Searches by several sources against a plain computation over all points.

#include "engine/hybrid_search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/plan.h"
#include "engine/validate_query.h"
#include "filters/filter_text.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using test::SeededVector;
using test::Unlimited;
using testing::HasSubstr;

constexpr uint64_t kTestPoints = 700;
constexpr uint32_t kTextDimension = 8;
constexpr uint32_t kImageDimension = 5;

Schema TextAndVector() {
  Schema schema;
  schema.vector_fields.push_back({"text", kTextDimension, Metric::kCosine, {}});
  schema.vector_fields.push_back(
      {"image", kImageDimension, Metric::kInnerProduct, {}});
  schema.payload_fields = {{"size", FieldType::kInteger},
                           {"host", FieldType::kKeyword},
                           {"made", FieldType::kTimestamp}};
  return schema;
}

// Every seventh point has no image; versions differ in their vectors.
Point MakePoint(uint64_t id, uint64_t version) {
  Point point{
      id, {{"text", SeededVector(id + 1000 * version, kTextDimension)}}, ""};
  if (id % 7 != 3) {
    point.vectors.push_back(
        {"image", SeededVector(id + 5000 + 1000 * version, kImageDimension)});
  }
  if (id % 5 != 0) {
    point.payload =
        absl::StrCat(R"({"size":)", id % 40, R"(,"host":["h)", id % 3,
                     R"(","common"],"made":)", 1'000'000 * (id % 11), "}");
  }
  return point;
}

class HybridSearchTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    collection_ = Create("c", TextAndVector());
    // Sealed, merged and growing segments with dead rows in all of them.
    for (uint64_t first = 0; first < kTestPoints; first += 100) {
      Upsert(first, 100, 0);
    }
    ASSERT_OK(collection_->SealAndWait(Unlimited()));
    Upsert(50, 30, 1);
    for (uint64_t id = 300; id < 320; ++id) {
      points_.erase(id);
      ASSERT_OK(collection_->Delete(std::vector<PointId>{id}, Unlimited()));
    }
  }

  void Upsert(uint64_t first, uint64_t count, uint64_t version) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      points.push_back(MakePoint(id, version));
      points_[id] = points.back();
    }
    ASSERT_OK(collection_->Upsert(std::move(points), Unlimited()));
  }

  static DenseSource Dense(const std::string& field, uint64_t seed) {
    DenseSource source;
    source.field = field;
    source.target =
        SeededVector(seed, field == "text" ? kTextDimension : kImageDimension);
    source.exact = true;
    return source;
  }

  SearchResult Search(const SearchQuery& query) {
    auto result = collection_->Search(query, Unlimited());
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : SearchResult();
  }

  // The score of a point by a source; NaN without.
  double Score(const DenseSource& source, uint64_t id) const {
    const auto& query = std::get<std::vector<float>>(source.target);
    for (const NamedVector& vector : points_.at(id).vectors) {
      if (vector.field == source.field) {
        double dot = 0;
        double norms[2] = {0, 0};
        for (size_t i = 0; i < query.size(); ++i) {
          const double a = static_cast<double>(query[i]);
          const double b = static_cast<double>(vector.values[i]);
          dot += a * b;
          norms[0] += a * a;
          norms[1] += b * b;
        }
        return source.field == "text" ? dot / std::sqrt(norms[0] * norms[1])
                                      : dot;
      }
    }
    return std::nan("");
  }

  // The best of a source, best first.
  std::vector<uint64_t> Best(const DenseSource& source, size_t count) const {
    std::vector<std::pair<double, uint64_t>> scored;
    for (const auto& [id, point] : points_) {
      if (const double score = Score(source, id); !std::isnan(score)) {
        scored.emplace_back(-score, id);
      }
    }
    std::sort(scored.begin(), scored.end());
    std::vector<uint64_t> ids;
    for (const auto& [score, id] : scored) {
      if (ids.size() < count) {
        ids.push_back(id);
      }
    }
    return ids;
  }

  std::shared_ptr<Collection> collection_;
  std::map<uint64_t, Point> points_;
};

uint64_t IdOf(const Hit& hit) {
  return std::get<uint64_t>(hit.point.id);
}

std::map<uint64_t, double> ScoresOf(const SearchResult& result) {
  std::map<uint64_t, double> scores;
  for (const Hit& hit : result.hits) {
    scores[IdOf(hit)] = static_cast<double>(hit.score);
  }
  return scores;
}

void ExpectInOrder(const SearchResult& result) {
  for (size_t i = 1; i < result.hits.size(); ++i) {
    const Hit& a = result.hits[i - 1];
    const Hit& b = result.hits[i];
    EXPECT_TRUE(a.score > b.score || (a.score == b.score && IdOf(a) < IdOf(b)));
  }
}

TEST_F(HybridSearchTest, ReciprocalRanks) {
  const std::vector<DenseSource> sources = {Dense("text", 1), Dense("image", 2),
                                            Dense("text", 3)};
  SearchQuery query;
  query.sources = {sources[0], sources[1], sources[2]};
  query.limit = 100;
  std::map<uint64_t, double> expected;
  const double weights[] = {1, 0.5, 2};
  for (size_t s = 0; s < 3; ++s) {
    std::get<DenseSource>(query.sources[s]).share.weight = weights[s];
    double rank = 0;
    for (const uint64_t id : Best(sources[s], 100)) {
      expected[id] += weights[s] / (60 + ++rank);
    }
  }
  const SearchResult result = Search(query);
  ASSERT_EQ(result.hits.size(), 100U);
  ExpectInOrder(result);
  for (const auto& [id, score] : ScoresOf(result)) {
    EXPECT_NEAR(score, expected[id], 1e-7) << id;
  }
  // Nothing better was left out.
  const double worst = static_cast<double>(result.hits.back().score);
  const auto better = std::count_if(
      expected.begin(), expected.end(),
      [&](const auto& entry) { return entry.second > worst + 1e-7; });
  EXPECT_LE(better, 100);
  EXPECT_EQ(result.expected_recall, 1);
}

TEST_F(HybridSearchTest, LinearCountsTrueScores) {
  const DenseSource text = Dense("text", 4);
  const DenseSource image = Dense("image", 5);
  SearchQuery query;
  query.sources = {text, image};
  query.fusion = FusionChoice{FusionMethod::kLinear};
  for (Source& source : query.sources) {
    std::get<DenseSource>(source).share.normaliser = FusionNormaliser::kNone;
  }
  std::get<DenseSource>(query.sources[1]).share.weight = -0.25;
  query.limit = 50;
  for (const auto& [id, score] : ScoresOf(Search(query))) {
    const double other = Score(image, id);
    EXPECT_NEAR(score, Score(text, id) - (std::isnan(other) ? 0 : 0.25 * other),
                1e-5);
  }
  // Cosine has a least score, an inner product has none.
  std::get<DenseSource>(query.sources[0]).share.normaliser.reset();
  const double best = Score(text, Best(text, 1)[0]);
  for (const auto& [id, score] : ScoresOf(Search(query))) {
    const double other = Score(image, id);
    EXPECT_NEAR(score,
                (Score(text, id) + 1) / (best + 1) -
                    (std::isnan(other) ? 0 : 0.25 * other),
                1e-5);
  }
  std::get<DenseSource>(query.sources[1]).share.normaliser.reset();
  const auto refused = collection_->Search(query, Unlimited());
  EXPECT_EQ(InvalidFieldPath(refused.status()), "sources[1].normaliser");
  std::get<DenseSource>(query.sources[1]).share.theoretical_minimum = -10;
  EXPECT_OK(collection_->Search(query, Unlimited()));
}

TEST_F(HybridSearchTest, PagesAreOfOneRanking) {
  SearchQuery query;
  query.sources = {Dense("text", 6), Dense("image", 7)};
  query.limit = 90;
  for (const FusionMethod method :
       {FusionMethod::kReciprocalRank, FusionMethod::kLinear}) {
    query.fusion = FusionChoice{method};
    for (Source& source : query.sources) {
      std::get<DenseSource>(source).share.normaliser =
          FusionNormaliser::kMinMax;
    }
    query.offset = 0;
    query.limit = 90;
    const SearchResult whole = Search(query);
    query.limit = 30;
    for (uint32_t page = 0; page < 3; ++page) {
      query.offset = 30 * page;
      const SearchResult part = Search(query);
      ASSERT_EQ(part.hits.size(), 30U);
      for (size_t i = 0; i < 30; ++i) {
        EXPECT_EQ(part.hits[i].point.id, whole.hits[query.offset + i].point.id);
        EXPECT_EQ(part.hits[i].score, whole.hits[query.offset + i].score);
      }
    }
  }
}

TEST_F(HybridSearchTest, FiltersHoldForEverySource) {
  auto filter = ParseFilter("size < 10 and host = \"h1\"");
  ASSERT_OK(filter);
  SearchQuery query;
  query.sources = {Dense("text", 8), Dense("image", 9)};
  query.filter = *filter;
  query.limit = 1000;
  size_t expected = 0;
  for (const auto& [id, point] : points_) {
    expected += id % 5 != 0 && id % 40 < 10 && id % 3 == 1 ? 1U : 0U;
  }
  const SearchResult result = Search(query);
  EXPECT_EQ(result.hits.size(), expected);
  for (const Hit& hit : result.hits) {
    EXPECT_TRUE(IdOf(hit) % 5 != 0 && IdOf(hit) % 40 < 10 &&
                IdOf(hit) % 3 == 1);
  }
}

TEST_F(HybridSearchTest, PointsSearchedByAreNoAnswer) {
  DenseSource by_id;
  by_id.field = "text";
  by_id.target = PointId(uint64_t{7});
  by_id.exact = true;
  SearchQuery query;
  query.sources = {by_id, Dense("image", 1)};
  query.limit = 100;
  const SearchResult result = Search(query);
  EXPECT_EQ(result.hits.size(), 100U);
  EXPECT_EQ(ScoresOf(result).count(7), 0U);
  // Ranks are those without it.
  query.explain = true;
  query.limit = 1;
  std::get<DenseSource>(query.sources[1]).share.weight = 0;
  EXPECT_NEAR(static_cast<double>(Search(query).hits.at(0).score), 1. / 61,
              1e-7);
  by_id.target = PointId(uint64_t{12345});
  query.sources[1] = SourceGroup{.sources = {by_id}};
  EXPECT_THAT(collection_->Search(query, Unlimited()),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("sources[1].group.sources[0].dense."
                                 "stored_point")));
}

TEST_F(HybridSearchTest, GroupsAreSources) {
  SourceGroup group{.sources = {Dense("text", 1), Dense("text", 2)}};
  group.share.weight = 2;
  group.share.candidates = 20;
  SearchQuery query;
  query.sources = {group, Dense("image", 3)};
  query.limit = 10;
  query.explain = true;
  std::map<uint64_t, double> inner;
  for (const uint64_t seed : {1U, 2U}) {
    double rank = 0;
    for (const uint64_t id : Best(Dense("text", seed), 100)) {
      inner[id] += 1 / (60 + ++rank);
    }
  }
  std::vector<std::pair<float, uint64_t>> order;
  for (const auto& [id, score] : inner) {
    order.emplace_back(-static_cast<float>(score), id);
  }
  std::sort(order.begin(), order.end());
  std::map<uint64_t, double> expected;
  for (size_t i = 0; i < 20; ++i) {
    expected[order[i].second] += 2 / (61 + static_cast<double>(i));
  }
  double rank = 0;
  for (const uint64_t id : Best(Dense("image", 3), 100)) {
    expected[id] += 1 / (60 + ++rank);
  }
  const SearchResult result = Search(query);
  for (const Hit& hit : result.hits) {
    EXPECT_NEAR(static_cast<double>(hit.score), expected[IdOf(hit)], 1e-7);
    ASSERT_TRUE(hit.explanation.has_value());
    ASSERT_EQ(hit.explanation->sources.size(), 2U);
    EXPECT_EQ(hit.explanation->sources[0].sources[1].source,
              "sources[0].group.sources[1]");
  }
  EXPECT_THAT(result.plan, HasSubstr("the best 20"));
}

TEST_F(HybridSearchTest, ExplanationsAddUp) {
  SearchQuery query;
  query.sources = {Dense("text", 1), Dense("image", 2)};
  query.fusion = FusionChoice{FusionMethod::kLinear};
  std::get<DenseSource>(query.sources[1]).share.normaliser =
      FusionNormaliser::kDbsf;
  query.boosts = {{"size", {NumberBoost{NumberBoost::Shape::kLog}}}};
  query.limit = 20;
  query.explain = true;
  const SearchResult result = Search(query);
  ASSERT_EQ(result.hits.size(), 20U);
  for (const Hit& hit : result.hits) {
    ASSERT_TRUE(hit.explanation.has_value());
    const HitExplanation& why = *hit.explanation;
    EXPECT_NEAR(why.sources[0].share + why.sources[1].share, why.fused, 1e-9);
    ASSERT_EQ(why.boosts.size(), 1U);
    EXPECT_NEAR(why.boosts[0].score,
                why.fused + why.boosts[0].boost.value_or(0), 1e-9);
    EXPECT_NEAR(static_cast<double>(hit.score), why.boosts[0].score, 1e-5);
    for (const SourceExplanation& source : why.sources) {
      EXPECT_NEAR(source.share, source.normalised * source.weight, 1e-9);
      EXPECT_EQ(source.listed, source.rank != 0);
    }
    EXPECT_NEAR(*why.sources[0].score, Score(Dense("text", 1), IdOf(hit)),
                1e-5);
  }
  const auto has_stage = [&](absl::string_view name) {
    return std::any_of(
        result.stages.begin(), result.stages.end(),
        [&](const StageTiming& stage) { return stage.name == name; });
  };
  for (const char* const name : {"dense text", "dense image", "fusion",
                                 "true scores dense image", "boosts"}) {
    EXPECT_TRUE(has_stage(name)) << name;
  }
}

TEST_F(HybridSearchTest, BoostsReadPayloads) {
  SearchQuery plain;
  plain.sources = {Dense("text", 11)};
  plain.limit = 100;
  const std::map<uint64_t, double> before = ScoresOf(Search(plain));
  struct {
    PayloadBoost boost;
    double (*value)(uint64_t id);
  } const cases[] = {
      {{"size", {NumberBoost{NumberBoost::Shape::kIdentity, 0.1}}},
       [](uint64_t id) { return 0.1 * static_cast<double>(id % 40); }},
      {{"host", {TableBoost{{{"h1", 1}, {"h2", 0.5}}, 0}}},
       [](uint64_t id) { return id % 3 == 1   ? 1
                                : id % 3 == 2 ? 0.5
                                              : 0; }},
      {{"made", {DecayBoost{DecayBoost::Shape::kLinear, 10, 0, 5, 0.5}}},
       [](uint64_t id) {
         return std::max(0.0, 1 - 0.1 * (10 - static_cast<double>(id % 11)));
       }},
  };
  for (const auto& c : cases) {
    SearchQuery query = plain;
    query.boosts = {c.boost};
    const SearchResult result = Search(query);
    ExpectInOrder(result);
    ASSERT_EQ(result.hits.size(), 100U);
    for (const auto& [id, score] : ScoresOf(result)) {
      const double boost = id % 5 == 0 ? 0 : c.value(id);
      ASSERT_EQ(before.count(id), 1U);
      EXPECT_NEAR(score, before.at(id) + boost, 1e-5) << id;
    }
  }
}

TEST_F(HybridSearchTest, ScoresAreThoseOfGrowingAndSealedAlike) {
  SearchQuery query;
  query.sources = {Dense("text", 21), Dense("image", 22)};
  query.limit = 200;
  const SearchResult before = Search(query);
  ASSERT_OK(collection_->SealAndWait(Unlimited()));
  const SearchResult sealed = Search(query);
  collection_.reset();
  Reopen();
  collection_ = Find("c");
  const SearchResult reopened = Search(query);
  for (const SearchResult* after : {&sealed, &reopened}) {
    ASSERT_EQ(before.hits.size(), after->hits.size());
    for (size_t i = 0; i < before.hits.size(); ++i) {
      EXPECT_EQ(before.hits[i].point.id, after->hits[i].point.id);
      EXPECT_EQ(before.hits[i].score, after->hits[i].score);
    }
  }
}

TEST(DefaultCandidatesTest, GrowInSteps) {
  EXPECT_EQ(DefaultCandidates(1), 100U);
  EXPECT_EQ(DefaultCandidates(100), 100U);
  EXPECT_EQ(DefaultCandidates(101), 1000U);
  EXPECT_EQ(DefaultCandidates(1001), 10000U);
  EXPECT_EQ(DefaultCandidates(10000), 10000U);
}

TEST(ValidateHybridTest, NamesWhatIsWrong) {
  const auto path = [](const std::function<void(SearchQuery*)>& change) {
    SearchQuery query;
    DenseSource text{.field = "text",
                     .target = SeededVector(1, kTextDimension)};
    DenseSource image{.field = "image",
                      .target = SeededVector(1, kImageDimension)};
    query.sources = {text, SourceGroup{.sources = {image, text}}};
    query.boosts = {{"size", {NumberBoost{}}}};
    query.limit = 10;
    change(&query);
    return InvalidFieldPath(ValidateQuery(TextAndVector(), query));
  };
  const auto first = [](SearchQuery* q) -> DenseSource& {
    return std::get<DenseSource>(q->sources[0]);
  };
  const auto group = [](SearchQuery* q) -> SourceGroup& {
    return std::get<SourceGroup>(q->sources[1]);
  };
  EXPECT_EQ(path([](SearchQuery*) {}), "");
  EXPECT_EQ(path([&](SearchQuery* q) { first(q).share.weight = -1; }),
            "sources[0].weight");
  EXPECT_EQ(path([&](SearchQuery* q) { first(q).share.candidates = 9; }),
            "sources[0].candidates");
  EXPECT_EQ(path([&](SearchQuery* q) { first(q).share.candidates = 10001; }),
            "sources[0].candidates");
  EXPECT_EQ(path([&](SearchQuery* q) { first(q).field = "x"; }),
            "sources[0].dense.field");
  EXPECT_EQ(path([&](SearchQuery* q) { group(q).sources.clear(); }),
            "sources[1].group.sources");
  EXPECT_EQ(path([&](SearchQuery* q) {
              std::get<DenseSource>(group(q).sources[1]).share.weight = NAN;
            }),
            "sources[1].group.sources[1].weight");
  EXPECT_EQ(path([&](SearchQuery* q) { group(q).fusion.rank_constant = -1; }),
            "sources[1].group.fusion.rank_constant");
  EXPECT_EQ(path([&](SearchQuery* q) {
              group(q).fusion.method = FusionMethod::kLinear;
            }),
            "sources[1].group.sources[0].normaliser");
  EXPECT_EQ(path([&](SearchQuery* q) {
              for (int i = 0; i < 4; ++i) {
                q->sources = {SourceGroup{.sources = q->sources}};
              }
            }),
            "sources[0].group.sources[0].group.sources[0].group.sources[0]."
            "group.sources");
  EXPECT_EQ(path([&](SearchQuery* q) { q->sources.assign(9, q->sources[1]); }),
            "sources[8].group.sources[0].kind");
  EXPECT_EQ(path([](SearchQuery* q) { q->boosts[0].field = "nope"; }),
            "boosts[0].field");
  EXPECT_EQ(path([](SearchQuery* q) { q->boosts[0].field = "host"; }),
            "boosts[0].field");
  EXPECT_EQ(path([](SearchQuery* q) { q->boosts[0].boost.weight = NAN; }),
            "boosts[0].weight");
  EXPECT_EQ(path([](SearchQuery* q) { q->boosts.resize(17, q->boosts[0]); }),
            "boosts");
  EXPECT_EQ(path([&](SearchQuery* q) {
              q->recall_target = 0.9;
              first(q).exact = true;
            }),
            "recall_target");
}

}  // namespace
}  // namespace sextant
