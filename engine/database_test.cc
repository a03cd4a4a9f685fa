// SPDX-License-Identifier: Apache-2.0
//
// The engine end to end, on a real store in a temporary directory.

#include "engine/database.h"

#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

const RequestContext kNoLimit;

DatabaseOptions Options(const std::string& path, uint32_t seal_rows) {
  DatabaseOptions options;
  options.store.path = path;
  options.seal_rows = seal_rows;
  options.min_graph_rows = 128;
  options.build_threads = 2;
  return options;
}

Schema OneField(uint32_t dimension, Metric metric = Metric::kCosine) {
  Schema schema;
  schema.vector_fields.push_back({"embedding", dimension, metric, {}});
  return schema;
}

std::vector<float> RandomVector(std::mt19937* random, size_t dimension) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  for (float& value : vector) {
    value = normal(*random);
  }
  return vector;
}

Point MakePoint(uint64_t id, std::vector<float> vector,
                std::string payload = "") {
  return {PointId(id), {{"embedding", std::move(vector)}}, std::move(payload)};
}

SearchQuery QueryFor(std::vector<float> vector, uint32_t limit) {
  SearchQuery query;
  query.sources.emplace_back(DenseSource{"", std::move(vector), 0, false});
  query.limit = limit;
  return query;
}

class DatabaseTest : public ::testing::Test {
 protected:
  void Open() {
    auto opened = Database::Open(Options(dir_.path(), seal_rows_));
    ASSERT_OK(opened);
    database_ = *std::move(opened);
  }
  void Reopen() {
    ASSERT_OK(database_->Close());
    database_.reset();
    Open();
  }
  std::shared_ptr<Collection> Find(const std::string& name) {
    auto found = database_->Find(name);
    return found.ok() ? *found : nullptr;
  }

  TempDir dir_;
  uint32_t seal_rows_ = 256;
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseTest, FindsWhatWasWrittenThroughSealMergeAndReopen) {
  Open();
  ASSERT_OK(database_->Create("docs", OneField(16)));
  std::mt19937 random(7);
  std::vector<std::vector<float>> vectors;
  auto docs = Find("docs");
  for (uint64_t first = 0; first < 2000; first += 100) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + 100; ++id) {
      vectors.push_back(RandomVector(&random, 16));
      points.push_back(MakePoint(id, vectors.back(), "{\"n\":1}"));
    }
    auto written = docs->Upsert(std::move(points), kNoLimit);
    ASSERT_OK(written);
    EXPECT_EQ(written->inserted, 100U);
  }
  const auto check = [&](const Collection& collection) {
    for (uint64_t id = 0; id < 2000; id += 37) {
      auto found = collection.Search(QueryFor(vectors[id], 3), kNoLimit);
      ASSERT_OK(found);
      ASSERT_EQ(found->hits.size(), 3U);
      EXPECT_EQ(found->hits[0].point.id, PointId(id));
      EXPECT_NEAR(found->hits[0].score, 1.0F, 1e-5);
    }
  };
  check(*docs);
  ASSERT_OK(docs->SealAndWait(kNoLimit));
  EXPECT_EQ(docs->Info().index.unindexed_points, 0U);
  EXPECT_GE(docs->Info().index.sealed_segments, 1U);
  check(*docs);
  const CollectionInfo before = docs->Info();
  docs.reset();
  Reopen();
  docs = Find("docs");
  ASSERT_NE(docs, nullptr);
  check(*docs);
  const CollectionInfo after = docs->Info();
  EXPECT_EQ(after.point_count, 2000U);
  EXPECT_EQ(after.applied_seq, before.applied_seq);
  EXPECT_EQ(after.content_hash, before.content_hash);
  EXPECT_EQ(after.index.rebuilds, 0U);
  EXPECT_OK(database_->Verify());
}

// Large enough for copies: 12,000 x 256 floats are 12 MB.
TEST_F(DatabaseTest, MemoryOfEachPartFollowsTheSettings) {
  seal_rows_ = 20'000;
  Open();
  std::mt19937 random(5);
  Schema schema;
  for (const auto& [name, storage] :
       std::vector<std::pair<std::string, VectorStorage>>{
           {"default", {}},
           {"mapped", {Encoding::kInt8, Rerank::kMapped}},
           {"floats", {Encoding::kFloat, Rerank::kMemory}}}) {
    schema.vector_fields.push_back({name, 256, Metric::kL2, {4, 8}, storage});
  }
  ASSERT_OK(database_->Create("docs", schema));
  auto docs = Find("docs");
  static constexpr uint64_t kTestPoints = 12'000;
  for (uint64_t first = 0; first < kTestPoints; first += 500) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + 500; ++id) {
      const std::vector<float> vector = RandomVector(&random, 256);
      points.push_back(
          {PointId(id),
           {{"default", vector}, {"mapped", vector}, {"floats", vector}},
           ""});
    }
    ASSERT_OK(docs->Upsert(std::move(points), kNoLimit));
  }
  ASSERT_OK(docs->SealAndWait(kNoLimit));
  const auto check = [](const IndexStats& stats) {
    constexpr uint64_t kFloats = kTestPoints * 256 * sizeof(float);
    EXPECT_EQ(stats.sealed_segments, 1U);
    EXPECT_EQ(stats.memory.vectors_in_memory, 2 * kFloats);
    EXPECT_EQ(stats.memory.vectors_mapped, kFloats);
    EXPECT_GE(stats.memory.codes, kFloats / 4);
    // At most 16 bits a number where it was chosen, 8 in the other, and the
    // rows' tails.
    EXPECT_LT(stats.memory.codes, kFloats / 4 * 3 + kTestPoints * 32);
    EXPECT_GE(stats.memory.graph, 3 * kTestPoints * 4 * sizeof(uint32_t));
    EXPECT_EQ(stats.memory.ordinals, 3 * kTestPoints * sizeof(uint32_t));
    EXPECT_GE(stats.ids_bytes, kTestPoints * 2 * sizeof(uint64_t));
    ASSERT_EQ(stats.encodings.size(), 3U);
    EXPECT_EQ(stats.encodings[0].field, "default");
    EXPECT_EQ(stats.encodings[1].field, "floats");
    EXPECT_EQ(stats.encodings[1].encoding, Encoding::kFloat);
    EXPECT_EQ(stats.encodings[2].field, "mapped");
    EXPECT_EQ(stats.encodings[2].encoding, Encoding::kInt8);
    EXPECT_EQ(stats.encodings[2].rows, kTestPoints);
    EXPECT_EQ(stats.encodings[2].segments, 1U);
  };
  check(docs->Info().index);
  docs.reset();
  Reopen();
  check(Find("docs")->Info().index);
}

TEST_F(DatabaseTest, CodesMayBeAllThatSearchesRead) {
  seal_rows_ = 1000;
  Open();
  Schema schema = OneField(64, Metric::kL2);
  schema.vector_fields[0].storage = {Encoding::kInt8, Rerank::kNone};
  ASSERT_OK(database_->Create("docs", schema));
  auto docs = Find("docs");
  constexpr uint64_t kTestPoints = 3000;
  std::mt19937 random(5);
  std::vector<std::vector<float>> vectors(kTestPoints);
  const auto write_all = [&] {
    for (uint64_t first = 0; first < kTestPoints; first += 250) {
      std::vector<Point> points;
      for (uint64_t id = first; id < first + 250; ++id) {
        vectors[id] = RandomVector(&random, 64);
        points.push_back(MakePoint(id, vectors[id]));
      }
      ASSERT_OK(docs->Upsert(std::move(points), kNoLimit));
    }
    ASSERT_OK(docs->SealAndWait(kNoLimit));
  };
  ASSERT_NO_FATAL_FAILURE(write_all());
  const auto check = [&](const Collection& collection) {
    const IndexStats stats = collection.Info().index;
    EXPECT_EQ(stats.unindexed_points, 0U);
    EXPECT_EQ(stats.memory.vectors_on_disk, kTestPoints * 64 * sizeof(float));
    EXPECT_EQ(stats.memory.vectors_in_memory + stats.memory.vectors_mapped, 0U);
    uint64_t approximations = 0;
    for (uint64_t id = 0; id < kTestPoints; id += 100) {
      SearchQuery query = QueryFor(vectors[id], 10);
      query.explain = true;
      const auto found = collection.Search(query, kNoLimit);
      ASSERT_OK(found);
      EXPECT_THAT(found->plan, HasSubstr("scored by codes"));
      EXPECT_GT(found->expected_recall, 0.8);
      EXPECT_EQ(found->hits[0].point.id, PointId(id));
      EXPECT_NEAR(found->hits[0].score, 0, 1);
      std::get<DenseSource>(query.sources[0]).exact = true;
      const auto exact = collection.Search(query, kNoLimit);
      ASSERT_OK(exact);
      EXPECT_EQ(exact->hits[0].score, 0);
      EXPECT_EQ(exact->expected_recall, 1);
      approximations += found->hits[9].score != exact->hits[9].score ? 1U : 0U;
    }
    EXPECT_GT(approximations, 0U);
  };
  check(*docs);
  docs.reset();
  Reopen();
  docs = Find("docs");
  check(*docs);
  EXPECT_EQ(docs->Info().index.rebuilds, 0U);
  // A merge reads the floats where they are.
  ASSERT_NO_FATAL_FAILURE(write_all());
  check(*docs);
}

TEST_F(DatabaseTest, DeletesAndOverwritesAreVisibleAtOnce) {
  Open();
  auto created = database_->Create("docs", OneField(2, Metric::kL2));
  ASSERT_OK(created);
  Collection& docs = **created;
  ASSERT_OK(
      docs.Upsert({MakePoint(1, {0, 0}), MakePoint(2, {1, 0})}, kNoLimit));
  auto updated =
      docs.Upsert({MakePoint(1, {5, 0}), MakePoint(3, {2, 0})}, kNoLimit);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->inserted, 1U);
  EXPECT_EQ(updated->updated, 1U);
  auto found = docs.Search(QueryFor({0, 0}, 10), kNoLimit);
  ASSERT_OK(found);
  ASSERT_EQ(found->hits.size(), 3U);
  EXPECT_EQ(found->hits[0].point.id, PointId(uint64_t{2}));
  EXPECT_EQ(found->hits[0].score, -1.0F);
  EXPECT_EQ(found->hits[2].point.id, PointId(uint64_t{1}));
  const PointId gone[] = {uint64_t{2}, uint64_t{99}};
  auto deleted = docs.Delete(gone, kNoLimit);
  ASSERT_OK(deleted);
  EXPECT_EQ(deleted->deleted, 1U);
  found = docs.Search(QueryFor({0, 0}, 10), kNoLimit);
  ASSERT_OK(found);
  EXPECT_EQ(found->hits.size(), 2U);
  EXPECT_EQ(docs.Count()->count, 2U);
}

TEST_F(DatabaseTest, EqualScoresComeByAscendingId) {
  Open();
  auto created = database_->Create("docs", OneField(2));
  ASSERT_OK(created);
  std::vector<Point> points;
  for (const uint64_t id : {9U, 3U, 7U, 1U, 5U}) {
    points.push_back(MakePoint(id, {1, 1}));
  }
  ASSERT_OK((*created)->Upsert(std::move(points), kNoLimit));
  auto found = (*created)->Search(QueryFor({1, 1}, 3), kNoLimit);
  ASSERT_OK(found);
  ASSERT_EQ(found->hits.size(), 3U);
  EXPECT_EQ(found->hits[0].point.id, PointId(uint64_t{1}));
  EXPECT_EQ(found->hits[1].point.id, PointId(uint64_t{3}));
  EXPECT_EQ(found->hits[2].point.id, PointId(uint64_t{5}));
}

}  // namespace
}  // namespace sextant
