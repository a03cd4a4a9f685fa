// SPDX-License-Identifier: Apache-2.0
//
// File operations through a rocksdb::FileSystem with our statuses. Each error
// names the path.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/file_system.h"

namespace sextant {

absl::Status CreateDirectory(rocksdb::FileSystem* files,
                             const std::string& path);
absl::Status CreateDirectoryAndParents(rocksdb::FileSystem* files,
                                       const std::string& path);
// Makes the entries of the directory durable.
absl::Status SyncDirectory(rocksdb::FileSystem* files, const std::string& path);
absl::Status RenameFile(rocksdb::FileSystem* files, const std::string& from,
                        const std::string& to);
absl::Status DeleteFile(rocksdb::FileSystem* files, const std::string& path);
// Temporary file, fsync, rename, fsync of the directory: under `path` there is
// the old content or all of the new.
absl::Status WriteFileDurably(rocksdb::FileSystem* files,
                              const std::string& path, absl::string_view bytes);
// Names in the directory, sorted; none when it does not exist.
absl::StatusOr<std::vector<std::string>> ListDirectory(
    rocksdb::FileSystem* files, const std::string& path);
absl::StatusOr<uint64_t> FileSize(rocksdb::FileSystem* files,
                                  const std::string& path);
// Sizes of the files in the directory, not below it; 0 when it is missing.
uint64_t DirectorySize(rocksdb::FileSystem* files, const std::string& path);

}  // namespace sextant
