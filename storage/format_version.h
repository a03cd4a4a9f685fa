// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/file_system.h"

namespace sextant {

// Version of the data directory as a whole: layout, column families, keys.
// Raise it when an older program would misread a newer directory.
inline constexpr uint32_t kStoreFormatVersion = 1;

// OK when this program reads `version`; else kFailedPrecondition with both
// numbers. `path` is the data directory.
absl::Status CheckStoreFormat(uint32_t version, const std::string& path);

// The file STORE of a data directory says, outside of RocksDB, that there is a
// store and of which format. So a newer one is refused before RocksDB touches
// it, and a store whose log vanished is not taken for a new one.
//
// False when there is no such file. kDataLoss: it is damaged.
absl::StatusOr<bool> ReadStoreMarker(rocksdb::FileSystem* files,
                                     const std::string& path);
absl::Status WriteStoreMarker(rocksdb::FileSystem* files,
                              const std::string& path);

}  // namespace sextant
