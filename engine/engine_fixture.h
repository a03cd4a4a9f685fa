// SPDX-License-Identifier: Apache-2.0
//
// For tests only: databases in temporary directories, and points whose
// contents follow from a seed.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/mutex.h"
#include "base/status_matchers.h"
#include "engine/database.h"
#include "engine/events.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_seed.h"

namespace sextant::test {

// Never ends.
inline const RequestContext& Unlimited() {
  static const RequestContext& context = *new RequestContext();
  return context;
}

// Waits for what background threads do; false after a minute.
inline bool WaitUntil(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  Mutex mutex;
  CondVar never;
  MutexLock lock(&mutex);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    never.WaitFor(&mutex, std::chrono::milliseconds(2));
  }
  return true;
}

// What the engine reported. Thread-safe.
class EventLog {
 public:
  EventSink Sink() {
    return [this](bool severe, const std::string& line) {
      MutexLock lock(&mutex_);
      lines_.push_back(absl::StrCat(severe ? "severe: " : "", line));
    };
  }
  size_t CountOf(absl::string_view part) const {
    MutexLock lock(&mutex_);
    size_t count = 0;
    for (const std::string& line : lines_) {
      count += absl::StrContains(line, part) ? 1U : 0U;
    }
    return count;
  }
  std::string Text() const {
    MutexLock lock(&mutex_);
    std::string text;
    for (const std::string& line : lines_) {
      absl::StrAppend(&text, line, "\n");
    }
    return text;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

inline Schema OneFieldSchema(uint32_t dimension,
                             Metric metric = Metric::kCosine,
                             IdKind id_kind = IdKind::kNumber) {
  Schema schema;
  schema.vector_fields.push_back({"embedding", dimension, metric, {}});
  schema.id_kind = id_kind;
  return schema;
}

// The same seed gives the same vector, of normally distributed numbers.
inline std::vector<float> SeededVector(uint64_t seed, size_t dimension) {
  std::mt19937_64 random(seed * 0x9e3779b97f4a7c15ULL + 1);
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  for (float& value : vector) {
    value = normal(random);
  }
  return vector;
}

inline Point MakePoint(PointId id, std::vector<float> vector,
                       std::string payload = "") {
  return {
      std::move(id), {{"embedding", std::move(vector)}}, std::move(payload)};
}

// Number ids [first, first + count) with SeededVector(id).
inline std::vector<Point> SeededPoints(uint64_t first, uint64_t count,
                                       size_t dimension) {
  std::vector<Point> points;
  for (uint64_t id = first; id < first + count; ++id) {
    points.push_back(MakePoint(id, SeededVector(id, dimension)));
  }
  return points;
}

inline SearchQuery DenseQuery(std::vector<float> vector, uint32_t limit,
                              bool exact = false) {
  SearchQuery query;
  query.sources.emplace_back(DenseSource{"", std::move(vector), 0, exact});
  query.limit = limit;
  return query;
}

inline std::vector<PointId> IdsOf(const SearchResult& result) {
  std::vector<PointId> ids;
  for (const Hit& hit : result.hits) {
    ids.push_back(hit.point.id);
  }
  return ids;
}

// Small segments, so that a few hundred points go through seal and merge. The
// idle seal is off: tests say when.
inline DatabaseOptions SmallSegments(const std::string& path) {
  DatabaseOptions options;
  options.store.path = path;
  options.store.memory_bytes = 16ULL << 20U;
  options.store.min_free_bytes = 0;
  options.seal_rows = 256;
  options.min_graph_rows = 128;
  options.seal_idle_ms = 3'600'000;
  options.build_threads = 2;
  return options;
}

// A database that can be closed and opened again.
class DatabaseFixture : public ::testing::Test {
 protected:
  DatabaseFixture() : options_(SmallSegments(dir_.path())) {
    options_.on_event = events_.Sink();
  }

  void Open() {
    auto opened = Database::Open(options_);
    ASSERT_OK(opened);
    database_ = *std::move(opened);
  }
  void Close() {
    ASSERT_OK(database_->Close());
    database_.reset();
  }
  void Reopen() {
    Close();
    Open();
  }
  // As a kill would leave it: no final flush.
  void ReopenWithoutClose() {
    database_.reset();
    Open();
  }
  std::shared_ptr<Collection> Create(absl::string_view name,
                                     const Schema& schema) {
    auto created = database_->Create(name, schema);
    EXPECT_OK(created);
    return created.ok() ? *created : nullptr;
  }
  std::shared_ptr<Collection> Find(absl::string_view name) {
    auto found = database_->Find(name);
    EXPECT_OK(found);
    return found.ok() ? *found : nullptr;
  }

  const TempDir dir_;
  EventLog events_;
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
};

}  // namespace sextant::test
