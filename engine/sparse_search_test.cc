// SPDX-License-Identifier: Apache-2.0
//
// Sparse vectors through writes, merges and restarts, against inner products
// with every point.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "filters/filter_text.h"
#include "index/text/sparse_index.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using test::SeededVector;
using test::Unlimited;
using testing::HasSubstr;
using Vector = std::vector<SparseEntry>;

constexpr uint64_t kIds = 600;

Schema SparseSchema() {
  Schema schema = test::OneFieldSchema(4);
  schema.payload_fields = {{"group", FieldType::kInteger}};
  schema.sparse_fields = {{"terms"}, {"other"}};
  return schema;
}

struct Item {
  Vector terms;  // empty also where the point lacks the field
  Vector other;
  uint64_t group = 0;
};

// Low indexes are frequent. Weights are such that sums of products are exact.
Vector RandomVector(std::mt19937_64& random, size_t most) {
  std::map<uint32_t, float> entries;
  for (size_t i = random() % (most + 1); i > 0; --i) {
    const uint64_t number = random() % 60;
    const float weight = 0.25F * static_cast<float>(1 + random() % 12);
    entries[static_cast<uint32_t>(number * number / 60)] =
        random() % 4 == 0 ? -weight : weight;
  }
  Vector vector;
  for (const auto& [index, weight] : entries) {
    vector.push_back({index, weight});
  }
  return vector;
}

class SparseSearchTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    collection_ = Create("c", SparseSchema());
    ASSERT_NE(collection_, nullptr);
  }

  void Write(std::mt19937_64& random, size_t count) {
    std::vector<Point> points;
    std::set<uint64_t> seen;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t id = random() % kIds;
      if (!seen.insert(id).second) {
        continue;
      }
      Item item{RandomVector(random, 20), RandomVector(random, 3),
                random() % 4};
      Point point =
          test::MakePoint(id, SeededVector(random(), 4),
                          absl::StrCat(R"({"group":)", item.group, "}"));
      // Without, and with nothing in it, are the same to a search.
      if (!item.terms.empty() || random() % 2 == 0) {
        Vector shuffled = item.terms;
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        point.sparse.push_back({"terms", shuffled});
      }
      if (!item.other.empty()) {
        point.sparse.insert(point.sparse.begin(), {"other", item.other});
      }
      points.push_back(std::move(point));
      items_[id] = std::move(item);
    }
    ASSERT_OK(collection_->Upsert(std::move(points), Unlimited()));
  }

  void Delete(std::mt19937_64& random, size_t count) {
    std::vector<PointId> ids;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t id = random() % kIds;
      ids.emplace_back(id);
      items_.erase(id);
    }
    ASSERT_OK(collection_->Delete(ids, Unlimited()));
  }

  // What a search of `group` (4: all) finds, best first.
  std::vector<std::pair<uint64_t, float>> Expected(const Vector& query,
                                                   Vector Item::*field,
                                                   uint64_t group) const {
    std::vector<std::pair<uint64_t, float>> found;
    for (const auto& [id, item] : items_) {
      bool shared = false;
      float sum = 0;
      for (const SparseEntry& a : query) {
        for (const SparseEntry& b : item.*field) {
          if (a.index == b.index) {
            shared = true;
            sum += a.weight * b.weight;
          }
        }
      }
      if (shared && (group == 4 || item.group == group)) {
        found.emplace_back(id, sum);
      }
    }
    std::stable_sort(
        found.begin(), found.end(),
        [](const auto& a, const auto& b) { return a.second > b.second; });
    return found;
  }

  static SearchQuery Query(const std::string& field, const Vector& vector,
                           uint32_t limit) {
    SearchQuery query;
    query.sources = {SparseSource{field, vector}};
    query.limit = limit;
    return query;
  }

  void ExpectFound(const SearchQuery& query,
                   std::vector<std::pair<uint64_t, float>> expected) {
    if (expected.size() > query.limit) {
      expected.resize(query.limit);
    }
    const auto result = collection_->Search(query, Unlimited());
    ASSERT_OK(result);
    std::vector<std::pair<uint64_t, float>> found;
    for (const Hit& hit : result->hits) {
      found.emplace_back(std::get<uint64_t>(hit.point.id), hit.score);
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(result->expected_recall, 1);
  }

  void ExpectRight(std::mt19937_64& random) {
    const Vector vector = RandomVector(random, 8);
    for (const uint32_t limit : {3U, 1000U}) {
      SearchQuery query = Query("terms", vector, limit);
      ExpectFound(query, Expected(vector, &Item::terms, 4));
      query.filter = *ParseFilter("group = 1");
      ExpectFound(query, Expected(vector, &Item::terms, 1));
      ExpectFound(Query("other", vector, limit),
                  Expected(vector, &Item::other, 4));
    }
  }

  std::shared_ptr<Collection> collection_;
  std::map<uint64_t, Item> items_;
};

TEST_F(SparseSearchTest, ScoresAreThoseOfTheVectorsThatAreThere) {
  std::mt19937_64 random(test::TestSeed());
  for (int step = 0; step < 24; ++step) {
    Write(random, 60);
    Delete(random, 10);
    if (step % 6 == 3) {
      ASSERT_OK(collection_->SealAndWait(Unlimited()));
    }
    if (step % 8 == 5) {
      collection_.reset();
      if (step % 16 == 5) {
        Reopen();
      } else {
        ReopenWithoutClose();
      }
      collection_ = Find("c");
    }
    ExpectRight(random);
    ExpectRight(random);
  }
  EXPECT_GT(collection_->Info().index.sparse_bytes, 0U);
  EXPECT_EQ(collection_->Info().index.rebuilds, 0U);
}

TEST_F(SparseSearchTest, RebuiltFromThePoints) {
  std::mt19937_64 random(test::TestSeed());
  for (int i = 0; i < 6; ++i) {
    Write(random, 100);
  }
  ASSERT_OK(collection_->SealAndWait(Unlimited()));
  collection_.reset();
  Close();
  std::filesystem::remove_all(dir_.path() + "/segments");
  Open();
  collection_ = Find("c");
  EXPECT_EQ(collection_->Info().index.rebuilds, 1U);
  ExpectRight(random);
  ASSERT_OK(collection_->SealAndWait(Unlimited()));
  ExpectRight(random);
  EXPECT_OK(database_->Verify());
}

TEST_F(SparseSearchTest, ComeBackAsTheyAreSearched) {
  Point point = test::MakePoint(uint64_t{1}, {1, 0, 0, 0});
  point.sparse = {{"terms", {{9, 1}, {4'000'000'000, -2}, {3, 0}, {1, 0.5F}}},
                  {"other", {}}};
  ASSERT_OK(collection_->Upsert({point}, Unlimited()));
  const Vector terms = {{1, 0.5F}, {9, 1}, {4'000'000'000, -2}};
  for (int round = 0; round < 2; ++round) {
    Projection projection;
    projection.all_vectors = true;
    const std::vector<PointId> ids = {uint64_t{1}};
    auto points = collection_->Get(ids, projection, Unlimited());
    ASSERT_OK(points);
    ASSERT_EQ(points->size(), 1U);
    const Point& got = points->front();
    ASSERT_EQ(got.sparse.size(), 2U);
    EXPECT_EQ(got.sparse[0].field, "terms");
    EXPECT_EQ(got.sparse[0].entries, terms);
    EXPECT_TRUE(got.sparse[1].entries.empty());
    SearchQuery query = Query("terms", {{9, 3}}, 10);
    query.projection.vectors = {"terms"};
    const auto result = collection_->Search(query, Unlimited());
    ASSERT_OK(result);
    ASSERT_EQ(result->hits.size(), 1U);
    EXPECT_EQ(result->hits[0].score, 3);
    EXPECT_TRUE(result->hits[0].point.vectors.empty());
    ASSERT_EQ(result->hits[0].point.sparse.size(), 1U);
    EXPECT_EQ(result->hits[0].point.sparse[0].entries, terms);
    collection_.reset();
    Reopen();
    collection_ = Find("c");
  }
}

TEST_F(SparseSearchTest, FusesByTrueScoresAndExplains) {
  std::mt19937_64 random(test::TestSeed());
  for (int i = 0; i < 5; ++i) {
    Write(random, 100);
  }
  const Vector vector = {{1, 1}, {15, -0.5F}, {30, 2}};
  SearchQuery query = Query("terms", vector, 50);
  DenseSource dense{.target = SeededVector(3, 4), .exact = true};
  dense.share.weight = 0.5;
  query.sources.emplace_back(dense);
  query.fusion = FusionChoice{FusionMethod::kLinear};
  for (Source& source : query.sources) {
    std::visit([](auto& s) { s.share.normaliser = FusionNormaliser::kNone; },
               source);
  }
  query.explain = true;
  std::map<uint64_t, float> expected;
  for (const auto& [id, score] : Expected(vector, &Item::terms, 4)) {
    expected[id] = score;
  }
  const auto result = collection_->Search(query, Unlimited());
  ASSERT_OK(result);
  ASSERT_EQ(result->hits.size(), 50U);
  EXPECT_THAT(result->plan, HasSubstr("sparse terms candidates 100, indices"));
  for (const Hit& hit : result->hits) {
    ASSERT_TRUE(hit.explanation.has_value());
    const SourceExplanation& sparse = hit.explanation->sources[0];
    const SourceExplanation& by_vector = hit.explanation->sources[1];
    EXPECT_EQ(sparse.kind, "sparse terms");
    const auto known = expected.find(std::get<uint64_t>(hit.point.id));
    EXPECT_EQ(*sparse.score,
              known == expected.end() ? 0 : static_cast<double>(known->second));
    double sum = 0;
    for (const SparseProduct& product : sparse.products) {
      sum += static_cast<double>(product.score);
    }
    EXPECT_EQ(sum, *sparse.score);
    EXPECT_NEAR(static_cast<double>(hit.score),
                *sparse.score + 0.5 * *by_vector.score, 1e-5);
  }
  // Weights may be negative, so there is no least score until it is named.
  std::visit([](auto& s) { s.share.normaliser.reset(); }, query.sources[0]);
  EXPECT_EQ(InvalidFieldPath(collection_->Search(query, Unlimited()).status()),
            "sources[0].normaliser");
  std::visit([](auto& s) { s.share.theoretical_minimum = 0; },
             query.sources[0]);
  EXPECT_OK(collection_->Search(query, Unlimited()));
}

TEST_F(SparseSearchTest, SearchesByAStoredPoint) {
  std::mt19937_64 random(test::TestSeed());
  Write(random, 200);
  ASSERT_OK(collection_->SealAndWait(Unlimited()));
  Point point = test::MakePoint(uint64_t{1000}, {1, 0, 0, 0});
  const Vector vector = {{0, 1}, {1, 2}, {4, 1}};
  point.sparse = {{"terms", vector}};
  ASSERT_OK(collection_->Upsert({point}, Unlimited()));
  SearchQuery query = Query("terms", {}, 20);
  std::get<SparseSource>(query.sources[0]).target = PointId(uint64_t{1000});
  ExpectFound(query, Expected(vector, &Item::terms, 4));
  std::get<SparseSource>(query.sources[0]).field = "other";
  EXPECT_THAT(collection_->Search(query, Unlimited()),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("point 1000 has no sparse vector other")));
  std::get<SparseSource>(query.sources[0]).target = PointId(uint64_t{1001});
  EXPECT_THAT(collection_->Search(query, Unlimited()),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SparseSearchTest, NeedsNoDenseField) {
  Schema schema;
  schema.sparse_fields = {{"terms"}};
  const std::shared_ptr<Collection> only = Create("only", schema);
  ASSERT_NE(only, nullptr);
  for (uint64_t id = 0; id < 400; ++id) {
    Point point;
    point.id = id;
    point.sparse = {{"terms", {{static_cast<uint32_t>(id % 7), 1}}}};
    ASSERT_OK(only->Upsert({point}, Unlimited()));
  }
  SearchQuery query = Query("", {{3, 2}}, 5);
  const std::vector<PointId> expected = {
      uint64_t{3}, uint64_t{10}, uint64_t{17}, uint64_t{24}, uint64_t{31}};
  EXPECT_EQ(test::IdsOf(*only->Search(query, Unlimited())), expected);
  ASSERT_OK(only->SealAndWait(Unlimited()));
  EXPECT_EQ(test::IdsOf(*only->Search(query, Unlimited())), expected);
  EXPECT_EQ(only->Info().index.dead_rows, 0U);
  const SearchQuery dense = test::DenseQuery({1, 2}, 5);
  EXPECT_EQ(InvalidFieldPath(only->Search(dense, Unlimited()).status()),
            "sources[0].dense.field");
}

TEST_F(SparseSearchTest, NamesWhatIsWrong) {
  const auto error = [&](std::vector<NamedSparse> vectors) {
    Point point = test::MakePoint(uint64_t{1}, {1, 0, 0, 0});
    point.sparse = std::move(vectors);
    return std::string(
        collection_->Upsert({point}, Unlimited()).status().message());
  };
  EXPECT_EQ(error({{"terms", {{1, 1}}}, {"other", {}}}), "");
  EXPECT_THAT(error({{"embedding", {{1, 1}}}}),
              HasSubstr("points[0].sparse_vectors[embedding]: the collection "
                        "has no such sparse field"));
  EXPECT_THAT(error({{"terms", {{1, 1}}}, {"terms", {{2, 1}}}}),
              HasSubstr("points[0].sparse_vectors[terms]: given twice"));
  EXPECT_THAT(error({{"terms", {{7, 1}, {1, 1}, {7, 2}}}}),
              HasSubstr("sparse_vectors[terms]: index 7 occurs twice"));
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad :
       {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 2e15F}) {
    EXPECT_THAT(error({{"terms", {{1, 1}, {2, bad}}}}),
                HasSubstr("sparse_vectors[terms].weights[1]: must be a number "
                          "from -1e+15 to 1e+15"));
  }
  EXPECT_THAT(error({{"terms", Vector(65'537)}}),
              HasSubstr("has 65537 entries, at most 65536"));
  const auto search_path = [&](const SearchQuery& query) {
    return InvalidFieldPath(collection_->Search(query, Unlimited()).status());
  };
  EXPECT_EQ(search_path(Query("terms", {}, 10)), "");
  EXPECT_EQ(search_path(Query("", {{1, 1}}, 10)), "sources[0].sparse.field");
  EXPECT_EQ(search_path(Query("embedding", {{1, 1}}, 10)),
            "sources[0].sparse.field");
  EXPECT_EQ(search_path(Query("terms", {{1, 1}, {1, 2}}, 10)),
            "sources[0].sparse.vector");
  EXPECT_EQ(search_path(Query("terms", {{1, infinity}}, 10)),
            "sources[0].sparse.vector.weights[0]");
  Schema schema = SparseSchema();
  schema.sparse_fields[1].name = "embedding";
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "sparse_fields[1].name");
  schema.sparse_fields[1].name = "terms";
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "sparse_fields[1].name");
  schema.sparse_fields[1].name = "a b";
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "sparse_fields[1].name");
  schema.sparse_fields.assign(17, {"x"});
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "sparse_fields");
}

}  // namespace
}  // namespace sextant
