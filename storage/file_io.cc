// SPDX-License-Identifier: Apache-2.0
#include "storage/file_io.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

#include "base/crash_point.h"
#include "base/status_macros.h"
#include "storage/rocks_status.h"

namespace sextant {

absl::Status CreateDirectory(rocksdb::FileSystem* files,
                             const std::string& path) {
  return FromRocks(files->CreateDirIfMissing(path, {}, nullptr),
                   absl::StrCat("create directory ", path));
}

absl::Status CreateDirectoryAndParents(rocksdb::FileSystem* files,
                                       const std::string& path) {
  if (files->FileExists(path, {}, nullptr).ok()) {
    return absl::OkStatus();
  }
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (files->FileExists(parent, {}, nullptr).ok()) {
      continue;
    }
    RETURN_IF_ERROR(CreateDirectory(files, parent));
  }
  RETURN_IF_ERROR(CreateDirectory(files, path));
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) {
    return SyncDirectory(files, ".");
  }
  return SyncDirectory(files, slash == 0 ? "/" : path.substr(0, slash));
}

absl::Status SyncDirectory(rocksdb::FileSystem* files,
                           const std::string& path) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  rocksdb::IOStatus status = files->NewDirectory(path, {}, &directory, nullptr);
  if (status.ok()) {
    status = directory->FsyncWithDirOptions({}, nullptr, {});
  }
  return FromRocks(status, absl::StrCat("fsync directory ", path));
}

absl::Status RenameFile(rocksdb::FileSystem* files, const std::string& from,
                        const std::string& to) {
  return FromRocks(files->RenameFile(from, to, {}, nullptr),
                   absl::StrCat("rename ", from, " to ", to));
}

absl::Status DeleteFile(rocksdb::FileSystem* files, const std::string& path) {
  return FromRocks(files->DeleteFile(path, {}, nullptr),
                   absl::StrCat("delete ", path));
}

absl::Status WriteFileDurably(rocksdb::FileSystem* files,
                              const std::string& path,
                              absl::string_view bytes) {
  // RocksDB removes leftovers with this ending from its directory.
  const std::string temporary = absl::StrCat(path, ".dbtmp");
  CRASH_POINT("file:before_write");
  RETURN_IF_ERROR(
      FromRocks(rocksdb::WriteStringToFile(files, ToSlice(bytes), temporary,
                                           /*should_sync=*/true),
                absl::StrCat("write ", temporary)));
  CRASH_POINT("file:before_rename");
  RETURN_IF_ERROR(RenameFile(files, temporary, path));
  CRASH_POINT("file:after_rename");
  return SyncDirectory(files, path.substr(0, path.find_last_of('/')));
}

absl::StatusOr<std::vector<std::string>> ListDirectory(
    rocksdb::FileSystem* files, const std::string& path) {
  std::vector<std::string> names;
  const rocksdb::IOStatus status =
      files->GetChildren(path, {}, &names, nullptr);
  if (status.IsNotFound() || status.IsPathNotFound()) {
    return std::vector<std::string>();
  }
  RETURN_IF_ERROR(FromRocks(status, absl::StrCat("list ", path)));
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<uint64_t> FileSize(rocksdb::FileSystem* files,
                                  const std::string& path) {
  uint64_t size_bytes = 0;
  RETURN_IF_ERROR(FromRocks(files->GetFileSize(path, {}, &size_bytes, nullptr),
                            absl::StrCat("size of ", path)));
  return size_bytes;
}

uint64_t DirectorySize(rocksdb::FileSystem* files, const std::string& path) {
  std::vector<rocksdb::Env::FileAttributes> children;
  if (!files->GetChildrenFileAttributes(path, {}, &children, nullptr).ok()) {
    return 0;
  }
  uint64_t sum_bytes = 0;
  for (const rocksdb::Env::FileAttributes& child : children) {
    sum_bytes += child.size_bytes;
  }
  return sum_bytes;
}

}  // namespace sextant
