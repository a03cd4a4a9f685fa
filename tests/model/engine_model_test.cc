// SPDX-License-Identifier: Apache-2.0
//
// 10,000 random operations on several collections against the obvious model,
// through seals, merges and restarts.

#include "tests/model/engine_model.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "filters/filter_text.h"
#include "tests/model/filter_model.h"

namespace sextant::test {
namespace {

constexpr int kOperations = 10'000;
constexpr uint64_t kIds = 600;  // each collection draws its ids from these

Schema TwoFields() {
  Schema schema;
  schema.vector_fields.push_back({"text", 6, Metric::kInnerProduct, {}});
  schema.vector_fields.push_back({"image", 9, Metric::kCosine, {}});
  schema.id_kind = IdKind::kString;
  return schema;
}

class EngineModelTest : public DatabaseFixture {
 protected:
  EngineModelTest() : seed_(TestSeed()), random_(seed_) {
    // What a write means is under test here; that it is durable, elsewhere.
    options_.store.durability = Durability::kOs;
    options_.seal_rows = 64;
    options_.min_graph_rows = 48;
    options_.default_ef = 16;  // graphs from 257 rows on
  }

  struct Subject {
    std::string name;
    CollectionModel model;
    std::shared_ptr<Collection> collection;
  };

  void Add(const std::string& name, Schema schema) {
    AddPayloadFields(&schema);
    subjects_.push_back({name, CollectionModel(schema), Create(name, schema)});
  }
  void RestartAll() {
    for (Subject& subject : subjects_) {
      subject.collection.reset();
    }
    if (Dice(2)) {
      Reopen();
    } else {
      ReopenWithoutClose();
    }
    for (Subject& subject : subjects_) {
      subject.collection = Find(subject.name);
      ASSERT_NE(subject.collection, nullptr);
      EXPECT_EQ(subject.collection->Info().index.rebuilds, 0U)
          << events_.Text();
      CheckState(subject);
    }
  }

  // True once in n times.
  bool Dice(uint64_t n) { return random_() % n == 0; }

  PointId RandomId(const Schema& schema) {
    const uint64_t number = random_() % kIds;
    if (schema.id_kind == IdKind::kNumber) {
      // Small and huge ones.
      return number % 2 == 0 ? number : ~number;
    }
    // Some prefixes of others, some of eight bytes.
    return number % 3 == 0 ? std::string(number / 3 % 40 + 1, 'x')
                           : absl::StrCat("id-", 10'000 + number);
  }
  // From a small set, so that scores tie, or a fresh one.
  std::vector<float> RandomVector(uint32_t dimension) {
    return SeededVector(Dice(4) ? random_() % 20 : random_(), dimension);
  }
  Point RandomPoint(const Schema& schema) {
    Point point;
    point.id = RandomId(schema);
    for (const VectorFieldSchema& field : schema.vector_fields) {
      if (schema.vector_fields.size() == 1 || !Dice(4)) {
        point.vectors.push_back({field.name, RandomVector(field.dimension)});
      }
    }
    if (point.vectors.empty()) {
      const VectorFieldSchema& field = schema.vector_fields[0];
      point.vectors.push_back({field.name, RandomVector(field.dimension)});
    }
    if (!Dice(5)) {
      point.payload = RandomPayload(random_);
    }
    return point;
  }

  void Upsert(Subject& subject) {
    std::vector<Point> points(1 + random_() % (Dice(4) ? 60 : 6));
    for (Point& point : points) {
      point = RandomPoint(subject.model.schema());
    }
    if (points.size() > 2 && Dice(2)) {
      points.back().id = points.front().id;
    }
    const CollectionModel::Counts expected = subject.model.Upsert(points);
    const auto result = subject.collection->Upsert(points, Unlimited());
    ASSERT_OK(result);
    EXPECT_EQ(result->inserted, expected.inserted);
    EXPECT_EQ(result->updated, expected.updated);
  }
  void Delete(Subject& subject) {
    std::vector<PointId> ids(1 + random_() % (Dice(4) ? 80 : 5));
    for (PointId& id : ids) {
      id = RandomId(subject.model.schema());
    }
    const auto result = subject.collection->Delete(ids, Unlimited());
    ASSERT_OK(result);
    EXPECT_EQ(result->deleted, subject.model.Delete(ids));
  }

  static void ExpectSame(const Point& found, const Point& expected) {
    EXPECT_EQ(found.id, expected.id);
    EXPECT_EQ(found.payload, expected.payload);
    ASSERT_EQ(found.vectors.size(), expected.vectors.size());
    for (const NamedVector& vector : found.vectors) {
      const auto* values = VectorOf(expected, vector.field);
      ASSERT_NE(values, nullptr);
      EXPECT_EQ(vector.values, *values);
    }
  }
  static Projection Everything() {
    Projection projection;
    projection.payload = true;
    projection.all_vectors = true;
    return projection;
  }

  void Get(const Subject& subject) {
    std::vector<PointId> ids(1 + random_() % 20);
    for (PointId& id : ids) {
      id = RandomId(subject.model.schema());
    }
    const auto found = subject.collection->Get(ids, Everything(), Unlimited());
    ASSERT_OK(found);
    size_t next = 0;
    for (const PointId& id : ids) {
      const auto expected = subject.model.points().find(EncodeId(id));
      if (expected != subject.model.points().end()) {
        ASSERT_LT(next, found->size());
        ExpectSame((*found)[next++], expected->second);
      }
    }
    EXPECT_EQ(next, found->size());
  }

  void Scroll(const Subject& subject) {
    const auto limit = static_cast<uint32_t>(1 + random_() % 100);
    std::optional<PointId> after;
    auto expected = subject.model.points().begin();
    if (!Dice(4)) {
      after = RandomId(subject.model.schema());
      expected = subject.model.points().upper_bound(EncodeId(*after));
    }
    const auto page =
        subject.collection->Scroll(after, limit, Everything(), Unlimited());
    ASSERT_OK(page);
    for (const Point& point : page->points) {
      ASSERT_NE(expected, subject.model.points().end());
      ExpectSame(point, expected++->second);
    }
    EXPECT_EQ(page->more, expected != subject.model.points().end());
    EXPECT_TRUE(page->points.size() == limit || !page->more);
  }

  Filter RandomFilterFor(const Subject& subject) {
    return RandomFilter(random_, subject.model.schema().id_kind, 2);
  }
  std::vector<PointId> MatchingIds(const Subject& subject,
                                   const Filter& filter) {
    std::vector<PointId> ids;
    for (const auto& [id, point] : subject.model.points()) {
      if (ModelMatches(filter, point)) {
        ids.push_back(point.id);
      }
    }
    return ids;
  }

  void CountMatching(const Subject& subject) {
    const Filter filter = RandomFilterFor(subject);
    const auto count = subject.collection->CountMatching(filter, Unlimited());
    ASSERT_OK(count);
    EXPECT_EQ(count->count, MatchingIds(subject, filter).size())
        << ToString(filter);
  }
  void DeleteMatching(Subject& subject) {
    // Two together, so that something stays.
    Filter filter;
    filter.node = FilterAnd{{RandomFilterFor(subject), RandomFilterFor(subject),
                             RandomFilterFor(subject)}};
    const std::vector<PointId> ids = MatchingIds(subject, filter);
    const auto result = subject.collection->DeleteMatching(filter, Unlimited());
    ASSERT_OK(result);
    EXPECT_EQ(result->deleted, ids.size()) << ToString(filter);
    EXPECT_EQ(subject.model.Delete(ids), ids.size());
  }
  void ScrollMatching(const Subject& subject) {
    PageQuery query;
    query.filter = RandomFilterFor(subject);
    query.limit = static_cast<uint32_t>(1 + random_() % 100);
    std::vector<PointId> expected = MatchingIds(subject, *query.filter);
    if (Dice(2)) {
      query.order = {"n", Dice(2)};
      const auto n = [&](const PointId& id) {
        return ModelValues(subject.model.points().at(EncodeId(id)).payload,
                           "n");
      };
      std::erase_if(expected, [&](const PointId& id) { return n(id).empty(); });
      std::ranges::stable_sort(
          expected, [&](const PointId& a, const PointId& b) {
            return query.order->descending ? n(a) > n(b) : n(a) < n(b);
          });
    }
    std::vector<PointId> found;
    do {
      const auto page =
          subject.collection->ScrollMatching(query, {}, Unlimited());
      ASSERT_OK(page);
      for (const Point& point : page->points) {
        found.push_back(point.id);
      }
      query.after = page->next;
    } while (query.after.has_value());
    EXPECT_EQ(found, expected) << ToString(*query.filter);
  }
  void Facets(const Subject& subject) {
    FacetQuery query;
    query.field = "tags";
    query.filter = RandomFilterFor(subject);
    query.limit = 100;
    const auto facets = subject.collection->Facets(query, Unlimited());
    ASSERT_OK(facets);
    std::map<std::string, uint64_t> expected;
    for (const PointId& id : MatchingIds(subject, *query.filter)) {
      std::set<std::string> tags;
      for (const FilterLiteral& tag : ModelValues(
               subject.model.points().at(EncodeId(id)).payload, "tags")) {
        tags.insert(std::get<std::string>(tag));
      }
      for (const std::string& tag : tags) {
        ++expected[tag];
      }
    }
    std::map<std::string, uint64_t> found;
    for (const auto& [value, points] : facets->values) {
      found[std::get<std::string>(value)] = points;
    }
    EXPECT_EQ(found, expected) << ToString(*query.filter);
  }

  void Search(const Subject& subject, bool exact) {
    const Schema& schema = subject.model.schema();
    const auto field =
        static_cast<uint16_t>(random_() % schema.vector_fields.size());
    const std::vector<float> vector =
        RandomVector(schema.vector_fields[field].dimension);
    SearchQuery query = DenseQuery(vector, 0, exact);
    std::get<DenseSource>(query.sources[0]).field =
        schema.vector_fields[field].name;
    query.limit = static_cast<uint32_t>(1 + random_() % (Dice(8) ? 700 : 20));
    query.offset = static_cast<uint32_t>(Dice(4) ? random_() % 50 : 0);
    query.projection = Everything();
    if (Dice(2)) {
      query.filter = RandomFilterFor(subject);
    }
    const auto result = subject.collection->Search(query, Unlimited());
    ASSERT_OK(result);
    std::vector<ModelHit> ranked = subject.model.Rank(field, vector);
    if (query.filter.has_value()) {
      std::erase_if(ranked, [&](const ModelHit& hit) {
        return !ModelMatches(*query.filter,
                             subject.model.points().at(EncodeId(hit.id)));
      });
    }
    const size_t first = std::min<size_t>(query.offset, ranked.size());
    const size_t last = std::min(ranked.size(), first + query.limit);
    ASSERT_EQ(result->hits.size(), last - first);
    if (exact) {
      for (size_t i = first; i < last; ++i) {
        ASSERT_EQ(result->hits[i - first].point.id, ranked[i].id) << i;
        ASSERT_EQ(result->hits[i - first].score, ranked[i].score) << i;
      }
    } else {
      CheckApproximate(*result, ranked, last);
    }
    for (const Hit& hit : result->hits) {
      ExpectSame(hit.point, subject.model.points().at(EncodeId(hit.point.id)));
    }
  }
  // Right scores in the right order; how many belong there is counted.
  void CheckApproximate(const SearchResult& result,
                        const std::vector<ModelHit>& ranked, size_t last) {
    std::map<PointId, float> scores;
    for (const ModelHit& hit : ranked) {
      scores[hit.id] = hit.score;
    }
    const Hit* before = nullptr;
    for (const Hit& hit : result.hits) {
      ASSERT_EQ(scores.count(hit.point.id), 1U) << "not a live point, or twice";
      ASSERT_EQ(hit.score, scores[hit.point.id]);
      scores.erase(hit.point.id);
      ASSERT_TRUE(before == nullptr || before->score > hit.score ||
                  (before->score == hit.score &&
                   EncodeId(before->point.id) < EncodeId(hit.point.id)));
      before = &hit;
      ++approximate_hits_;
      right_hits_ += hit.score >= ranked[last - 1].score - 1e-6F ? 1U : 0U;
    }
  }

  static void CheckState(const Subject& subject) {
    const CollectionInfo info = subject.collection->Info();
    EXPECT_EQ(info.point_count, subject.model.points().size());
    EXPECT_EQ(info.content_hash, subject.model.Hash());
    EXPECT_EQ(subject.collection->Count()->count, info.point_count);
  }

  void Step(Subject& subject) {
    const uint64_t dice = random_() % 1000;
    if (dice < 350) {
      Upsert(subject);
    } else if (dice < 470) {
      Delete(subject);
    } else if (dice < 475) {
      DeleteMatching(subject);
    } else if (dice < 530) {
      Get(subject);
    } else if (dice < 560) {
      Scroll(subject);
    } else if (dice < 590) {
      ScrollMatching(subject);
    } else if (dice < 610) {
      CountMatching(subject);
    } else if (dice < 620) {
      Facets(subject);
    } else if (dice < 790) {
      Search(subject, true);
    } else if (dice < 960) {
      Search(subject, false);
    } else if (dice < 985) {
      CheckState(subject);
    } else if (dice < 997) {
      ASSERT_OK(subject.collection->SealAndWait(Unlimited()));
    } else {
      RestartAll();
    }
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  std::vector<Subject> subjects_;
  uint64_t approximate_hits_ = 0;
  uint64_t right_hits_ = 0;
};

TEST_F(EngineModelTest, BehavesLikeAMapAndBruteForce) {
  Open();
  Add("numbers", OneFieldSchema(8));
  Add("strings", OneFieldSchema(12, Metric::kL2, IdKind::kString));
  Add("two-fields", TwoFields());
  for (int operation = 0; operation < kOperations; ++operation) {
    Subject& subject = subjects_[random_() % subjects_.size()];
    SCOPED_TRACE(absl::StrCat("SEXTANT_SEED=", seed_, ", operation ", operation,
                              " on ", subject.name));
    Step(subject);
    if (HasFailure()) {
      return;
    }
  }
  for (const Subject& subject : subjects_) {
    CheckState(subject);
  }
  EXPECT_OK(database_->Verify());
  const double recall =
      static_cast<double>(right_hits_) / static_cast<double>(approximate_hits_);
  std::cout << kOperations << " operations; recall without exact: " << recall
            << " of " << approximate_hits_ << " hits\n";
  EXPECT_GE(recall, 0.95);
}

}  // namespace
}  // namespace sextant::test
