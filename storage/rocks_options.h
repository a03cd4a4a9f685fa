// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <memory>

#include "rocksdb/cache.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "rocksdb/options.h"

#include "storage/column_families.h"
#include "storage/compaction_damage.h"
#include "storage/store.h"

namespace sextant {

// Every setting of RocksDB, with the reason beside it.
struct RocksOptions {
  rocksdb::DBOptions db;
  // For families of a newer program, which are opened only to be refused.
  rocksdb::ColumnFamilyOptions unknown_family;
  std::array<rocksdb::ColumnFamilyOptions, kFamilyCount> families;
};

RocksOptions MakeRocksOptions(const StoreOptions& options, rocksdb::Env* env,
                              std::shared_ptr<rocksdb::FileSystem> files,
                              std::shared_ptr<CompactionDamage> damage);

}  // namespace sextant
