// SPDX-License-Identifier: Apache-2.0
#include "storage/compaction_damage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sextant {

void CompactionDamage::SetFamilies(
    rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> handles) {
  MutexLock lock(&mutex_);
  handles_ = std::move(handles);
  for (const uint32_t family : damaged_) {
    StopCompactions(db, family);
  }
}

void CompactionDamage::OnBackgroundError(rocksdb::BackgroundErrorReason reason,
                                         rocksdb::Status* error) {
  if (reason == rocksdb::BackgroundErrorReason::kCompaction &&
      error->IsCorruption()) {
    *error = rocksdb::Status::OK();
  }
}

void CompactionDamage::OnCompactionCompleted(
    rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) {
  if (!info.status.IsCorruption()) {
    return;
  }
  {
    MutexLock lock(&mutex_);
    if (std::find(damaged_.begin(), damaged_.end(), info.cf_id) !=
        damaged_.end()) {
      return;
    }
    damaged_.push_back(info.cf_id);
    StopCompactions(db, info.cf_id);
  }
  if (on_damage_) {
    on_damage_(absl::StrCat(
        "a compaction of '", info.cf_name,
        "' met damage: ", info.status.ToString(),
        "; writes go on, but the family is not compacted before the next "
        "start: restore from a backup, or drop the damaged collection"));
  }
}

void CompactionDamage::StopCompactions(rocksdb::DB* db, uint32_t family) {
  if (family < handles_.size()) {
    // Fails only when the options file cannot be written: then RocksDB tries
    // the compaction again each second, which costs time and nothing else.
    db->SetOptions(handles_[family], {{"disable_auto_compactions", "true"}})
        .PermitUncheckedError();
  }
}

}  // namespace sextant
