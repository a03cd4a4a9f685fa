// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/collection.h"
#include "engine/limits.h"
#include "engine/schema.h"
#include "storage/store.h"

namespace sextant {

struct DatabaseOptions {
  StoreOptions store;

  // Searches that say neither what recall they want nor how hard to try: their
  // recall target, in (0, 1]. Or, if `default_ef` is not 0, their beam width.
  double default_recall_target = limits::kRecallTargetDefault;
  uint32_t default_ef = 0;

  // One of so many searches is repeated in the background and compared with
  // the exact answer (CollectionInfo::recall), as long as that takes no more
  // than this share of one core; 0 = none.
  uint32_t recall_probe_every = 1024;
  uint32_t recall_probe_cpu_percent = 1;

  // The growing segment is sealed when it holds this many points.
  uint32_t seal_rows = 8192;
  // ... or when it holds enough for a graph and nothing was written for this
  // long.
  uint32_t seal_idle_ms = 1000;
  // Segments with fewer points get no graph; scanning them is as fast.
  uint32_t min_graph_rows = 2048;
  // Threads that build graphs in the background, at low priority; 0 = one a
  // core.
  uint32_t build_threads = 0;
  // How long the first writer of a group waits for others when there was
  // concurrency lately.
  uint32_t group_commit_us = 1000;
  uint64_t group_commit_bytes = 256ULL << 10U;

  // Called while opening, from the opening thread: collections done, of total.
  std::function<void(size_t done, size_t total, absl::string_view name)>
      on_progress;
  // One line for the log: a rebuild, damage found, a segment built.
  // `severe` = an operator should look. May come from any thread.
  std::function<void(bool severe, const std::string& line)> on_event;
};

// All collections of a data directory.
//
// Thread-safe. One process owns a directory at a time. Whoever holds a
// collection lets go of it before the database is destroyed.
class Database {
 public:
  // Opens the store and loads every collection: newest valid segments, then
  // the change log; a collection whose segments are missing or damaged is
  // rebuilt from the store, one whose points are damaged is kept with its
  // error (CollectionInfo::health) and the others are served.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      DatabaseOptions options);
  // Stops background work. Call Close() first to see errors.
  virtual ~Database() = default;

  // kAlreadyExists, kInvalidArgument (paths "name", "schema...."),
  // kResourceExhausted past limits::kCollectionsMax.
  virtual absl::StatusOr<std::shared_ptr<Collection>> Create(
      absl::string_view name, const Schema& schema) = 0;
  // kNotFound.
  virtual absl::StatusOr<std::shared_ptr<Collection>> Find(
      absl::string_view name) const = 0;
  // By ascending name, those after `after`, at most `limit`.
  virtual std::vector<std::shared_ptr<Collection>> List(absl::string_view after,
                                                        size_t limit) const = 0;
  virtual size_t collection_count() const = 0;
  // Returns how many points were dropped. kNotFound.
  virtual absl::StatusOr<uint64_t> Drop(absl::string_view name) = 0;

  // OK, or the failed durable write that stopped all writes.
  virtual absl::Status write_status() const = 0;
  virtual Store::DiskUse disk_use() const = 0;
  // Memory of the store's block cache and write buffers (StoreOptions), which
  // grows up to its bound and stays there.
  virtual uint64_t store_memory_bytes() const = 0;
  // Checks every record, segment and count on disk (Store::Verify).
  virtual absl::Status Verify() const = 0;

  // Ends background work, flushes, fsyncs. Writes are kUnavailable afterwards,
  // reads go on.
  virtual absl::Status Close() = 0;
};

}  // namespace sextant
