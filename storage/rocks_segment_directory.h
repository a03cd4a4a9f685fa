// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <span>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "rocksdb/file_system.h"

#include "base/mutex.h"
#include "storage/segment_directory.h"

namespace sextant {

// Segment files beside RocksDB, through its FileSystem (so that tests can cut
// the power); only mapping is done by the operating system directly.
// Owned by the Store. Thread-safe.
class RocksSegmentDirectory final : public SegmentDirectory {
 public:
  // `files` outlives it.
  RocksSegmentDirectory(std::string path, rocksdb::FileSystem* files);

  absl::StatusOr<storage::SegmentRecord> Write(
      const storage::CollectionRecord& collection, uint64_t segment_number,
      uint64_t rows, std::span<const SegmentSection> sections) override;
  absl::StatusOr<std::shared_ptr<const SegmentFile>> Open(
      const storage::CollectionRecord& collection,
      const storage::SegmentRecord& record) override;
  absl::Status RemoveAllBut(CollectionNumber collection,
                            std::span<const uint64_t> keep) override;

 private:
  std::string CollectionPath(CollectionNumber collection) const;
  std::string SegmentPath(CollectionNumber collection,
                          uint64_t segment_number) const;
  // Temporary file, fsync, rename, fsync of the directory.
  absl::Status WriteDurably(const std::string& path,
                            const std::string& temporary_path,
                            std::span<const SegmentSection> sections,
                            storage::SegmentRecord* record,
                            const std::string& header);

  const std::string path_;
  rocksdb::FileSystem* const files_;

  Mutex mutex_;
  // Temporary files that a Write is busy with: not leftovers.
  absl::flat_hash_set<std::string> in_progress_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
