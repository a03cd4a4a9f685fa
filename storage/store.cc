// SPDX-License-Identifier: Apache-2.0
#include "storage/store.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"

#include "base/check.h"
#include "base/crash_point.h"
#include "base/status_macros.h"
#include "storage/file_io.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocks_segment_directory.h"
#include "storage/rocks_status.h"
#include "storage/store_rep.h"
#include "storage/write_set_rep.h"

namespace sextant {

// --- Rep ---

absl::Status Store::Rep::Write(rocksdb::WriteBatch* batch, Sync sync) {
  {
    MutexLock lock(&write_status_mutex);
    if (!write_status.ok()) {
      return write_status;
    }
  }
  rocksdb::WriteOptions write_options;
  write_options.sync =
      sync == Sync::kAlways || options.durability == Durability::kSync;
  CRASH_POINT("store:before_write");
  const rocksdb::Status status = rocks->db()->Write(write_options, batch);
  CRASH_POINT("store:after_write");
  if (status.ok()) {
    return absl::OkStatus();
  }
  absl::Status failed =
      FromRocks(status, absl::StrCat("write to ", rocks->rocksdb_path()));
  MutexLock lock(&write_status_mutex);
  if (write_status.ok()) {
    write_status = absl::UnavailableError(absl::StrCat(
        "writes are refused until the data directory is opened anew, because "
        "one failed: ",
        failed.message()));
  }
  return failed;
}

absl::Status Store::Rep::CheckFreeSpace() const {
  if (options.min_free_bytes == 0) {
    return absl::OkStatus();
  }
  uint64_t free_bytes = 0;
  const rocksdb::IOStatus status =
      rocks->files()->GetFreeSpace(rocks->path(), {}, &free_bytes, nullptr);
  // A file system that cannot tell is not full.
  if (!status.ok() || free_bytes >= options.min_free_bytes) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("the disk of ", rocks->path(), " has ", free_bytes >> 20U,
                   " MiB left, the limit is ", options.min_free_bytes >> 20U,
                   " MiB: writes are refused until there is room"));
}

absl::Status Store::Rep::CheckExists(CollectionNumber collection) const {
  MutexLock lock(&collections_mutex);
  if (!collections.contains(collection)) {
    return absl::NotFoundError(
        absl::StrCat("collection number ", collection, " does not exist"));
  }
  return absl::OkStatus();
}

// --- open and close ---

Store::Store(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {
  rep_->store = this;
}

Store::~Store() {
  CHECK_EQ(rep_->open_views.load(), 0) << "views outlive their store";
  rep_->segments.reset();
  rep_->rocks.reset();
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  auto rep = std::make_unique<Rep>(std::move(options));
  ASSIGN_OR_RETURN(rep->rocks, RocksInstance::Open(rep->options));
  rep->segments = std::make_unique<RocksSegmentDirectory>(
      rep->rocks->segments_path(), rep->rocks->files());
  RETURN_IF_ERROR(rep->LoadCollections());
  RETURN_IF_ERROR(rep->RemoveOrphanSegments());
  return std::unique_ptr<Store>(new Store(std::move(rep)));
}

// --- writes ---

absl::Status Store::Commit(WriteSet writes) {
  CHECK(writes.rep_->has_state) << " a commit without its state";
  RETURN_IF_ERROR(write_status());
  RETURN_IF_ERROR(rep_->CheckExists(writes.rep_->collection));
  RETURN_IF_ERROR(rep_->CheckFreeSpace());
  return rep_->Write(&writes.rep_->batch, Rep::Sync::kAsConfigured);
}

absl::Status Store::write_status() const {
  MutexLock lock(&rep_->write_status_mutex);
  return rep_->write_status;
}

absl::Status Store::Flush() {
  RETURN_IF_ERROR(write_status());
  const std::string context =
      absl::StrCat("flush ", rep_->rocks->rocksdb_path());
  RETURN_IF_ERROR(
      FromRocks(rep_->rocks->db()->FlushWAL(/*sync=*/true), context));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  for (uint32_t id = 0; id < kFamilyCount; ++id) {
    handles.push_back(rep_->rocks->handle(static_cast<Family>(id)));
  }
  return FromRocks(rep_->rocks->db()->Flush(rocksdb::FlushOptions(), handles),
                   context);
}

uint64_t Store::memory_bytes() const {
  uint64_t bytes = 0;
  // All families share one cache, and memtables are charged to it.
  rep_->rocks->db()->GetIntProperty(rocksdb::DB::Properties::kBlockCacheUsage,
                                    &bytes);
  return bytes;
}

SegmentDirectory& Store::segments() {
  return *rep_->segments;
}

Store::DiskUse Store::disk_use() const {
  rocksdb::FileSystem* files = rep_->rocks->files();
  DiskUse use;
  use.rocksdb_bytes = DirectorySize(files, rep_->rocks->rocksdb_path());
  const std::string segments = rep_->rocks->segments_path();
  const absl::StatusOr<std::vector<std::string>> names =
      ListDirectory(files, segments);
  if (names.ok()) {
    for (const std::string& name : *names) {
      use.segment_bytes +=
          DirectorySize(files, absl::StrCat(segments, "/", name));
    }
  }
  return use;
}

}  // namespace sextant
