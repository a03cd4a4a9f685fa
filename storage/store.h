// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "storage/format.pb.h"
#include "storage/records.h"
#include "storage/segment_directory.h"
#include "storage/write_set.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace sextant {

// When an acknowledged write is safe.
enum class Durability {
  kSync,  // fsynced: survives a power cut
  kOs,    // handed to the kernel: survives a kill of the process only
};

struct StoreOptions {
  // Directory; created if missing. Holds `rocksdb/` and `segments/`.
  std::string path;
  Durability durability = Durability::kSync;
  // Block cache and memtables together.
  uint64_t memory_bytes = 256ULL << 20U;
  uint64_t max_wal_bytes = 256ULL << 20U;
  // Writes are refused (kResourceExhausted) while the disk has less room than
  // this, before RocksDB fails half-way. 0 turns it off.
  uint64_t min_free_bytes = 256ULL << 20U;
  // Called from a background thread when damage was met that stops no write.
  std::function<void(const std::string&)> on_damage;
  // Null: the operating system's. Tests put fault injection here; every file,
  // segment files too, goes through it.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

// Which parts of a point to read.
struct ReadParts {
  bool payload = true;
  bool vectors = true;
};

// A frozen view of the whole store. Holding one keeps overwritten records from
// being reclaimed, so it lives no longer than a request or the newest engine
// snapshot. Must be released before its store.
class StoreView {
 public:
  virtual ~StoreView() = default;
};

// Walks one collection's points by ascending id on a frozen view.
class PointScan {
 public:
  virtual ~PointScan() = default;
  // Moves to the next point; false at the end or on an error (see status()).
  virtual bool Next() = 0;
  virtual absl::string_view id() const = 0;
  virtual const StoredPoint& point() const = 0;
  virtual absl::Status status() const = 0;
};

// The durable truth: RocksDB with shared column families, keys prefixed by the
// collection's number. Every record carries a format version and a checksum
// over key and value.
//
// Thread-safe. Commits to one collection must come in sequence order, from one
// thread at a time. After a durable write failed, its outcome is unknown:
// every later write returns kUnavailable until the store is opened anew; reads
// go on. A record that fails its checksum is kDataLoss, naming key and family.
class Store {
 public:
  // kFailedPrecondition: directory in use by another process, or written by a
  // newer format (both name the path). kDataLoss: damaged.
  static absl::StatusOr<std::unique_ptr<Store>> Open(StoreOptions options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // --- collections ---
  // Gives `record` its number and writes it durably. kAlreadyExists is the
  // caller's to check (by name, under its own lock). kInvalidArgument: uuid is
  // not 16 bytes.
  absl::StatusOr<storage::CollectionRecord> CreateCollection(
      storage::CollectionRecord record);
  // Durably replaces the definition of the collection with the record's number.
  // kNotFound: no such collection.
  absl::Status ReplaceDefinition(const storage::CollectionRecord& record);
  // Drops definition, points, change log, state, checkpoint: one atomic batch;
  // then removes the segment files (what is left of them after a crash goes at
  // the next Open). kNotFound: no such collection.
  absl::Status DropCollection(CollectionNumber collection);
  absl::StatusOr<std::vector<storage::CollectionRecord>> ListCollections()
      const;

  // --- writes ---
  // Durable when it returns OK (see Durability). On an error, write_status()
  // tells what happened: when it is still OK nothing was written (disk nearly
  // full: kResourceExhausted; collection dropped: kNotFound), else unknown.
  absl::Status Commit(WriteSet writes);
  // OK, or the error that made the store refuse writes.
  absl::Status write_status() const;
  // Writes out and fsyncs everything; for a graceful stop.
  absl::Status Flush();

  // --- state, change log, checkpoint ---
  absl::StatusOr<CollectionState> ReadState(CollectionNumber collection) const;
  // Calls `fn` for each change above `after`, ascending; stops at its first
  // error. kDataLoss when a sequence number is missing.
  absl::Status ReadChanges(
      CollectionNumber collection, Sequence after,
      const std::function<absl::Status(const Change&)>& fn) const;
  // Durably replaces the checkpoint and trims the change log up to and
  // including `trim_to` in the same batch.
  absl::Status WriteCheckpoint(CollectionNumber collection,
                               const storage::CheckpointRecord& checkpoint,
                               Sequence trim_to);
  // Nothing when none was written.
  absl::StatusOr<std::optional<storage::CheckpointRecord>> ReadCheckpoint(
      CollectionNumber collection) const;

  // --- attachments ---
  // What the engine keeps of a collection beside its points, by name; dropped
  // with it. Not part of its state: no sequence number, no content hash.
  struct Attachment {
    std::string name;
    std::optional<std::string> bytes;  // none: removed
  };
  // All or nothing, durable when it returns OK. Errors as of Commit().
  absl::Status WriteAttachments(CollectionNumber collection,
                                std::span<const Attachment> attachments);
  absl::StatusOr<std::optional<std::string>> ReadAttachment(
      CollectionNumber collection, absl::string_view name) const;
  // Names that begin with `prefix`, ascending.
  absl::StatusOr<std::vector<std::string>> ListAttachments(
      CollectionNumber collection, absl::string_view prefix) const;

  // --- points ---
  std::shared_ptr<const StoreView> View() const;
  // In the order of `ids`; nothing where there is no such point. `view` null
  // reads the newest state.
  absl::StatusOr<std::vector<std::optional<StoredPoint>>> ReadPoints(
      const StoreView* view, CollectionNumber collection,
      std::span<const absl::string_view> ids, ReadParts parts) const;
  // Points with id > `after` (empty: from the first). `view` null = newest.
  std::unique_ptr<PointScan> ScanPoints(const StoreView* view,
                                        CollectionNumber collection,
                                        absl::string_view after,
                                        ReadParts parts) const;

  SegmentDirectory& segments();

  // Reads every file and checks every checksum, RocksDB's own included; the
  // first damage found is returned as kDataLoss with the file's name.
  absl::Status Verify() const;

  struct DiskUse {
    uint64_t rocksdb_bytes = 0;
    uint64_t segment_bytes = 0;
  };
  DiskUse disk_use() const;
  // Block cache and memtables, now; StoreOptions::memory_bytes bounds them.
  uint64_t memory_bytes() const;

 private:
  struct Rep;
  explicit Store(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
