// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "rocksdb/db.h"
#include "rocksdb/listener.h"

#include "base/mutex.h"

namespace sextant {

// Keeps the store writable when a compaction meets a damaged block. RocksDB
// would refuse every write of every collection from then on, though the
// compaction only failed to tidy up: its inputs stay, and the log and the
// memtables that new writes go to are sound. So the error is reported once, and
// the family it came from is not compacted again before the next open, which
// spares the endless retries and the write stall behind them.
//
// A damaged memtable or log still makes the store refuse writes.
//
// Thread-safe.
class CompactionDamage final : public rocksdb::EventListener {
 public:
  explicit CompactionDamage(std::function<void(const std::string&)> on_damage)
      : on_damage_(std::move(on_damage)) {}

  // The handles by family id. Compactions start before DB::Open returns them:
  // damage met by then is acted on here. Empty before they are destroyed.
  void SetFamilies(rocksdb::DB* db,
                   std::vector<rocksdb::ColumnFamilyHandle*> handles);

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason,
                         rocksdb::Status* error) override;
  void OnCompactionCompleted(rocksdb::DB* db,
                             const rocksdb::CompactionJobInfo& info) override;

 private:
  void StopCompactions(rocksdb::DB* db, uint32_t family)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void(const std::string&)> on_damage_;
  Mutex mutex_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint32_t> damaged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
