// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"

namespace sextant {

// RocksDB's status (IOStatus too) as ours, with `context` in front:
// Corruption -> kDataLoss, no space -> kResourceExhausted (naming the disk),
// other I/O errors -> kUnavailable, misuse -> kInternal.
absl::Status FromRocks(const rocksdb::Status& status,
                       absl::string_view context);

// For what is put into a batch without a size limit, which refuses nothing but
// keys and values of 4 GiB.
void MustSucceed(const rocksdb::Status& status);

inline absl::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}
inline rocksdb::Slice ToSlice(absl::string_view view) {
  return {view.data(), view.size()};
}

}  // namespace sextant
