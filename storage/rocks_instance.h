// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

#include "storage/column_families.h"
#include "storage/compaction_damage.h"
#include "storage/store.h"

namespace sextant {

// A data directory that is locked, checked and open: RocksDB with the families
// of this format. Owned by the Store; everything but the destructor is
// thread-safe. The destructor closes the database and releases the directory.
class RocksInstance {
 public:
  // kFailedPrecondition: in use, or of a newer format. kDataLoss: damaged.
  static absl::StatusOr<std::unique_ptr<RocksInstance>> Open(
      const StoreOptions& options);
  ~RocksInstance();
  RocksInstance(const RocksInstance&) = delete;
  RocksInstance& operator=(const RocksInstance&) = delete;

  rocksdb::DB* db() const { return db_.get(); }
  rocksdb::FileSystem* files() const { return files_.get(); }
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_.at(static_cast<uint32_t>(family));
  }
  const std::string& path() const { return path_; }
  std::string rocksdb_path() const { return path_ + "/rocksdb"; }
  std::string segments_path() const { return path_ + "/segments"; }

  // The record under `key`, or nothing.
  absl::StatusOr<std::optional<std::string>> Get(
      Family family, absl::string_view key,
      const rocksdb::Snapshot* snapshot) const;
  std::unique_ptr<rocksdb::Iterator> NewIterator(
      Family family, const rocksdb::ReadOptions& options) const;

 private:
  explicit RocksInstance(const StoreOptions& options);

  absl::Status CreateDirectories();
  absl::Status Lock();
  // Refuses what RocksDB would take for a new database, deleting the tables:
  // a directory without CURRENT, or with tables but without a log.
  absl::Status CheckNotBeheaded() const;
  absl::Status OpenRocks(const StoreOptions& options);
  // Writes the format's version into a new store; refuses a newer one.
  absl::Status CheckFormat(bool unknown_family);

  // Constant after Open. Whether the file STORE was there.
  bool has_marker_ = false;
  // `env_` and `files_` outlive `db_`.
  const std::string path_;
  const std::shared_ptr<rocksdb::FileSystem> files_;
  const std::unique_ptr<rocksdb::Env> env_;
  const std::shared_ptr<CompactionDamage> damage_;
  rocksdb::FileLock* lock_ = nullptr;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> handles_ = {};
  std::vector<rocksdb::ColumnFamilyHandle*> unknown_handles_;
};

}  // namespace sextant
