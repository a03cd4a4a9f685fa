// SPDX-License-Identifier: Apache-2.0
//
// Tells a torn write from damage in RocksDB's logs (*.log and MANIFEST-*, one
// format: 32 KiB blocks of records with a CRC-32C each).
//
// Why: RocksDB replays a log up to the first bad record and silently drops the
// rest, because a power cut leaves a bad end. But a flipped bit in the middle
// drops acknowledged writes in the same silent way. While every write is
// fsynced, only the very last record can be torn, and a torn record looks like
// one: the file ends inside it, or from a sector boundary on it is all zeros.
// Everything else is damage.

#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/file_system.h"

#include "storage/store.h"

namespace sextant {

enum class LogEnd {
  kWhole,     // after a whole record
  kCutShort,  // the file ends inside the last record
  kZeros,     // the last record is zeros from some sector on
};

struct LogCheck {
  LogEnd end = LogEnd::kWhole;
  // Where the last whole record ends.
  uint64_t whole_bytes = 0;
};

// `bytes` is a whole log file. kDataLoss: damaged; names the offset.
absl::StatusOr<LogCheck> CheckLog(absl::string_view bytes);

// Checks the manifest and, if `durability` is kSync, the write-ahead logs in
// the RocksDB directory `path`, before RocksDB opens it. A manifest that ends
// in zeros is cut back to its last whole record, which RocksDB cannot do.
absl::Status CheckLogsBeforeOpen(rocksdb::FileSystem* files,
                                 const std::string& path,
                                 Durability durability);

// The same, changing nothing, while the database is open.
absl::Status CheckLogsWhileOpen(rocksdb::FileSystem* files,
                                const std::string& path, Durability durability);

}  // namespace sextant
