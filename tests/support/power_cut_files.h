// SPDX-License-Identifier: Apache-2.0
//
// The files PowerCutFileSystem hands out; nobody else includes this.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "rocksdb/file_system.h"

#include "tests/support/power_cut_file_system.h"

namespace sextant::test {

// A file's contents, under whatever name. Guarded by the file system's lock.
struct PowerCutFileSystem::Inode {
  Inode() = default;
  ~Inode();
  Inode(const Inode&) = delete;
  Inode& operator=(const Inode&) = delete;

  // Where the bytes really lie.
  std::string where;
  uint64_t size = 0;
  uint64_t synced_size = 0;
  // Nameless; goes with the last one who could bring it back.
  bool buried = false;
};

class TrackedWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  TrackedWritableFile(PowerCutFileSystem* files,
                      std::shared_ptr<PowerCutFileSystem::Inode> inode,
                      std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)),
        files_(files),
        inode_(std::move(inode)) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& bytes,
                           const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus fault = files_->CountWrite();
    if (!fault.ok() && !fault.IsNoSpace()) {
      return fault;
    }
    // A full disk takes what fits.
    const rocksdb::Slice part(bytes.data(),
                              fault.ok() ? bytes.size() : bytes.size() / 2);
    rocksdb::IOStatus status = target()->Append(part, options, debug);
    if (status.ok()) {
      files_->Appended(inode_.get(), part.size());
    }
    return fault.ok() ? status : fault;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& bytes,
                           const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& /*info*/,
                           rocksdb::IODebugContext* debug) override {
    return Append(bytes, options, debug);
  }
  rocksdb::IOStatus Truncate(uint64_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = target()->Truncate(size, options, debug);
    if (status.ok()) {
      files_->Truncated(inode_.get(), size);
    }
    return status;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& /*options*/,
                         rocksdb::IODebugContext* /*debug*/) override {
    // Only what was there when the sync began is promised.
    const uint64_t size = files_->SizeOf(*inode_);
    rocksdb::IOStatus fault = files_->CountWrite();
    if (fault.ok()) {
      files_->Synced(inode_.get(), size);
    }
    return fault;
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    return Sync(options, debug);
  }
  // A hint to start writing; promises nothing.
  rocksdb::IOStatus RangeSync(uint64_t /*offset*/, uint64_t /*size*/,
                              const rocksdb::IOOptions& /*options*/,
                              rocksdb::IODebugContext* /*debug*/) override {
    return rocksdb::IOStatus::OK();
  }

 private:
  PowerCutFileSystem* const files_;
  const std::shared_ptr<PowerCutFileSystem::Inode> inode_;
};

class TrackedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  TrackedDirectory(PowerCutFileSystem* files, std::string path,
                   std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)),
        files_(files),
        path_(std::move(path)) {}

  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& /*options*/,
                          rocksdb::IODebugContext* /*debug*/) override {
    rocksdb::IOStatus fault = files_->CountWrite();
    if (fault.ok()) {
      files_->DirectorySynced(path_);
    }
    return fault;
  }
  rocksdb::IOStatus FsyncWithDirOptions(
      const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
      const rocksdb::DirFsyncOptions& /*directory_options*/) override {
    return Fsync(options, debug);
  }

 private:
  PowerCutFileSystem* const files_;
  const std::string path_;
};

class CountedSequentialFile final
    : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  CountedSequentialFile(PowerCutFileSystem* files,
                        std::unique_ptr<rocksdb::FSSequentialFile> file)
      : FSSequentialFileOwnerWrapper(std::move(file)), files_(files) {}

  rocksdb::IOStatus Read(size_t size, const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus fault = files_->CountRead();
    return fault.ok() ? target()->Read(size, options, result, scratch, debug)
                      : fault;
  }

 private:
  PowerCutFileSystem* const files_;
};

class CountedRandomAccessFile final
    : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  CountedRandomAccessFile(PowerCutFileSystem* files,
                          std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), files_(files) {}

  rocksdb::IOStatus Read(uint64_t offset, size_t size,
                         const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* debug) const override {
    rocksdb::IOStatus fault = files_->CountRead();
    return fault.ok()
               ? target()->Read(offset, size, options, result, scratch, debug)
               : fault;
  }
  rocksdb::IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count,
                              const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus fault = files_->CountRead();
    return fault.ok() ? target()->MultiRead(requests, count, options, debug)
                      : fault;
  }

 private:
  PowerCutFileSystem* const files_;
};

}  // namespace sextant::test
