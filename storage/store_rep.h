// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "rocksdb/write_batch.h"

#include "base/mutex.h"
#include "storage/rocks_instance.h"
#include "storage/store.h"

namespace sextant {

// The insides of Store, shared by its few .cc files.
struct Store::Rep {
  explicit Rep(StoreOptions store_options)
      : options(std::move(store_options)) {}

  enum class Sync { kAsConfigured, kAlways };
  // Every write to RocksDB goes through here: refuses after a failed write,
  // makes the first failure sticky.
  absl::Status Write(rocksdb::WriteBatch* batch, Sync sync);
  absl::Status CheckFreeSpace() const;
  absl::Status CheckExists(CollectionNumber collection) const;
  // What the store held when `snapshot` was taken; null = now.
  absl::StatusOr<std::vector<storage::CollectionRecord>> ListAt(
      const rocksdb::Snapshot* snapshot) const;
  absl::StatusOr<CollectionState> ReadStateAt(
      CollectionNumber collection, const rocksdb::Snapshot* snapshot) const;
  absl::StatusOr<std::optional<storage::CheckpointRecord>> ReadCheckpointAt(
      CollectionNumber collection, const rocksdb::Snapshot* snapshot) const;

  // Verify's parts.
  absl::Status VerifyPoints(const storage::CollectionRecord& record,
                            const StoreView& view) const;
  absl::Status VerifyChanges(CollectionNumber collection,
                             const StoreView& view) const;
  absl::Status VerifyAttachments(CollectionNumber collection,
                                 const StoreView& view) const;
  absl::Status VerifySegments(const storage::CollectionRecord& record) const;
  absl::Status VerifyNoOrphans(const StoreView& view) const;

  // Reads the numbers of the collections and the one for the next.
  absl::Status LoadCollections();
  // Removes the segment files of collections that no longer exist.
  absl::Status RemoveOrphanSegments() const;
  // Writes a collection's definition, first state and the counter.
  absl::Status WriteDefinition(const storage::CollectionRecord& record);

  // Constant after Open. `rocks` outlives `segments`.
  const StoreOptions options;
  Store* store = nullptr;
  std::unique_ptr<RocksInstance> rocks;
  std::unique_ptr<SegmentDirectory> segments;

  // Views that were not released yet.
  mutable std::atomic<int> open_views{0};

  mutable Mutex write_status_mutex;
  absl::Status write_status ABSL_GUARDED_BY(write_status_mutex);

  // Held over the write of a definition, so that the counters on disk rise in
  // the order of the numbers given out. Nothing else waits for it.
  Mutex definitions_mutex;
  CollectionNumber next_collection ABSL_GUARDED_BY(definitions_mutex) = 1;

  mutable Mutex collections_mutex;
  absl::flat_hash_set<CollectionNumber> collections
      ABSL_GUARDED_BY(collections_mutex);
};

// Holds a RocksDB snapshot.
class RocksView final : public StoreView {
 public:
  RocksView(rocksdb::DB* db, std::atomic<int>* open_views);
  ~RocksView() override;
  RocksView(const RocksView&) = delete;
  RocksView& operator=(const RocksView&) = delete;

  // The snapshot behind `view`; null for null.
  static const rocksdb::Snapshot* SnapshotOf(const StoreView* view);

 private:
  rocksdb::DB* const db_;
  std::atomic<int>* const open_views_;
  const rocksdb::Snapshot* const snapshot_;
};

}  // namespace sextant
