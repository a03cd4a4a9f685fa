// SPDX-License-Identifier: Apache-2.0
//
// Opens a data directory after a crash and looks into everything.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/database.h"
#include "engine/engine_fixture.h"
#include "engine/prepared_write.h"
#include "filters/filter_text.h"
#include "tests/crash/text_check.h"
#include "tests/crash/workload.h"

namespace sextant::test {

inline constexpr char kWorkCollection[] = "docs";

// Small segments: seals and merges happen all the time.
inline DatabaseOptions WorkOptions(const std::string& path) {
  DatabaseOptions options = SmallSegments(path);
  options.seal_rows = 100;
  options.min_graph_rows = 64;
  options.default_ef = 16;  // small segments are searched by their graphs
  return options;
}

inline Schema WorkSchema() {
  Schema schema = OneFieldSchema(kWorkDimension);
  schema.text_fields = {{.name = "note"}};
  return schema;
}

// Fields of Workload's payloads that are declared while it runs.
inline constexpr std::array<const char*, 3> kLateFields = {"client", "n", "i"};

inline PayloadFieldSchema LateField(size_t i) {
  return {kLateFields[i], FieldType::kInteger, i == 1};
}

inline Point ToPoint(const WorkPoint& point) {
  return MakePoint(point.id, point.vector, point.payload);
}

// One request against a collection.
inline absl::Status Send(const WorkRequest& request, Collection* collection) {
  if (!request.upserts.empty()) {
    std::vector<Point> points;
    for (const WorkPoint& point : request.upserts) {
      points.push_back(ToPoint(point));
    }
    return collection->Upsert(std::move(points), Unlimited()).status();
  }
  const std::vector<PointId> ids(request.deletes.begin(),
                                 request.deletes.end());
  return collection->Delete(ids, Unlimited()).status();
}

// All points of the collection, with the content hash that they add up to.
struct FoundPoints {
  WorkModel points;
  ContentHash hash;
};

inline FoundPoints ScrollAll(const Collection& collection) {
  Projection everything;
  everything.payload = true;
  everything.all_vectors = true;
  FoundPoints found;
  std::optional<PointId> after;
  for (bool more = true; more;) {
    auto page = collection.Scroll(after, 100, everything, Unlimited());
    EXPECT_OK(page);
    if (!page.ok() || page->points.empty()) {
      break;
    }
    for (Point& point : page->points) {
      const auto id = std::get<uint64_t>(point.id);
      const std::vector<FieldVector> fields = {{0, point.vectors[0].values}};
      const std::string encoded = EncodeId(point.id);
      found.hash.Add(HashPoint({encoded, point.payload, fields}));
      after = point.id;
      found.points[id] = {id, std::move(point.vectors[0].values),
                          std::move(point.payload)};
    }
    more = page->more;
  }
  return found;
}

// The index answers what the store holds: points are found by their own
// vectors, exactly and by the graph, and an exact search finds all of them.
inline void CheckIndex(const Collection& collection, const WorkModel& points,
                       std::mt19937_64* random) {
  if (points.empty()) {
    return;
  }
  std::vector<uint64_t> ids;
  for (const auto& [id, point] : points) {
    ids.push_back(id);
  }
  for (int i = 0; i < 200; ++i) {
    const WorkPoint& point = points.at(ids[(*random)() % ids.size()]);
    for (const bool exact : {true, false}) {
      const auto result =
          collection.Search(DenseQuery(point.vector, 1, exact), Unlimited());
      ASSERT_OK(result);
      ASSERT_EQ(result->hits.size(), 1U);
      EXPECT_EQ(result->hits[0].point.id, PointId(point.id))
          << (exact ? "exact" : "graph");
      EXPECT_NEAR(result->hits[0].score, 1.0F, 1e-5);
    }
  }
  const auto all = collection.Search(
      DenseQuery(points.begin()->second.vector, 10'000, true), Unlimited());
  ASSERT_OK(all);
  ASSERT_EQ(all->hits.size(), points.size());
  for (const Hit& hit : all->hits) {
    ASSERT_TRUE(points.count(std::get<uint64_t>(hit.point.id)) == 1);
  }
}

// What was declared before the crash is filled in after it.
inline void CheckLateFields(const Collection& collection,
                            const WorkModel& points) {
  ASSERT_TRUE(WaitUntil([&] { return collection.Info().fills.empty(); }));
  const std::shared_ptr<const Schema> schema = collection.schema();
  for (const PayloadFieldSchema& field : schema->payload_fields) {
    for (const int value : {0, 1, 2, 3, 7}) {
      const std::string member = absl::StrCat("\"", field.name, "\":", value);
      uint64_t expected = 0;
      for (const auto& [id, point] : points) {
        expected += absl::StrContains(point.payload, member + ",") ||
                            absl::StrContains(point.payload, member + "}")
                        ? 1U
                        : 0U;
      }
      const auto filter = ParseFilter(absl::StrCat(field.name, " = ", value));
      ASSERT_OK(filter);
      const auto count = collection.CountMatching(*filter, Unlimited());
      ASSERT_OK(count);
      EXPECT_EQ(count->count, expected) << field.name << " = " << value;
    }
  }
}

// Opens the directory and checks all promises; moves the ledger on.
inline void CheckAfterCrash(const std::string& path,
                            const Progress& acknowledged,
                            const Progress& attempted, Ledger* ledger,
                            std::mt19937_64* random) {
  EventLog events;
  DatabaseOptions options = WorkOptions(path);
  options.on_event = events.Sink();
  auto database = Database::Open(options);
  ASSERT_OK(database);
  {
    const auto collection = (*database)->Find(kWorkCollection);
    if (!collection.ok()) {
      EXPECT_EQ(acknowledged, Progress{}) << "the collection was lost";
      return;
    }
    const CollectionInfo info = (*collection)->Info();
    ASSERT_OK(info.health);
    EXPECT_EQ(info.index.rebuilds, 0U) << events.Text();
    const FoundPoints found = ScrollAll(**collection);
    ASSERT_OK(ledger->Explain(found.points, acknowledged, attempted));
    EXPECT_EQ(info.point_count, found.points.size());
    EXPECT_EQ(info.content_hash, found.hash);
    CheckIndex(**collection, found.points, random);
    CheckLateFields(**collection, found.points);
    CheckTexts(**collection, found.points);
  }
  EXPECT_OK((*database)->Verify());
}

}  // namespace sextant::test
