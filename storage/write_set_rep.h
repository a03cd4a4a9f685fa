// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "rocksdb/write_batch.h"

#include "storage/write_set.h"

namespace sextant {

// RocksDB checks 8 bytes of protection information for each key from the
// moment it enters the batch until it is in the memtable.
inline constexpr size_t kProtectionBytesPerKey = 8;

struct WriteSet::Rep {
  Rep(CollectionNumber number, size_t size_hint)
      : collection(number),
        batch(/*reserved_bytes=*/size_hint, /*max_bytes=*/0,
              kProtectionBytesPerKey,
              /*default_cf_ts_sz=*/0) {}

  const CollectionNumber collection;
  rocksdb::WriteBatch batch;
  bool has_state = false;
  // Reused for every record.
  std::string record;
};

}  // namespace sextant
