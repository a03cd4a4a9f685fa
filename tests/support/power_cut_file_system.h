// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "rocksdb/file_system.h"

#include "base/mutex.h"

namespace sextant::test {

// What of a file's unsynced end a power cut leaves.
enum class CutTail {
  kDropped,  // nothing
  kTorn,     // a random part from its start
  kZeroed,   // its full length, but from a random sector on zeros
};

// What of created, renamed and deleted names a power cut leaves.
enum class CutNames {
  kAll,     // all of them, as a journalling file system mostly does
  kSynced,  // only what was there when the directory was last fsynced
};

struct PowerCut {
  CutTail tail = CutTail::kDropped;
  CutNames names = CutNames::kSynced;
  uint64_t seed = 0;
};

// One failing operation.
struct IoFault {
  enum class Error { kIo, kNoSpace };
  // Which operations count.
  enum class Target { kWrites, kReads };
  Target target = Target::kWrites;
  // Fails the n-th operation from now on, counted from 1...
  uint64_t at = 1;
  // ... and all after it.
  bool stays = false;
  Error error = Error::kIo;
};

// A file system that knows what of the files below `root` would survive a
// power cut: for each file the length at its last fsync, for each directory
// the names at its last fsync. It can copy that state elsewhere at any moment.
// It also fails chosen operations. The contents lie in the real file system,
// where nothing is ever fsynced, which makes it fast.
//
// Owned by the test, shared with the store. Thread-safe. Advisory locks and
// the info log are passed through and not part of the model. Directories
// themselves are durable at once.
class PowerCutFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // `root` need not exist yet. Files that lie there already count as durable.
  explicit PowerCutFileSystem(const std::string& root);
  ~PowerCutFileSystem() override;

  const char* Name() const override { return "PowerCutFileSystem"; }

  // Writes to `target` (new) what a power cut would leave now.
  absl::Status CopyAfter(const PowerCut& cut, const std::string& target);

  void Arm(const IoFault& fault);
  void Disarm();
  // Whether the armed fault was met.
  bool fault_was_met() const;

  // Operations that change something, so far.
  uint64_t writes() const;
  // Runs `hook` once, before the first change with a number of at least `at`,
  // on the thread that makes it and without a lock.
  void BeforeWrite(uint64_t at, std::function<void()> hook);

  // --- rocksdb::FileSystem ---
  rocksdb::IOStatus NewSequentialFile(
      const std::string& path, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSSequentialFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(
      const std::string& path, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewWritableFile(
      const std::string& path, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSWritableFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(
      const std::string& path, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSWritableFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(
      const std::string& path, const std::string& old_path,
      const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSWritableFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(
      const std::string& path, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSRandomRWFile>* result,
      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path,
                                 const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(const std::string& path, size_t size,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;

  // For the files this hands out.
  struct Inode;
  rocksdb::IOStatus CountWrite();
  rocksdb::IOStatus CountRead();
  void Appended(Inode* inode, uint64_t bytes);
  void Truncated(Inode* inode, uint64_t size);
  uint64_t SizeOf(const Inode& inode);
  void Synced(Inode* inode, uint64_t size);
  void DirectorySynced(const std::string& path);

 private:
  using InodePtr = std::shared_ptr<Inode>;
  using Names = std::map<std::string, InodePtr>;

  void LoadExisting();
  bool IsModelled(const std::string& path) const;
  std::optional<rocksdb::IOStatus> CountFault(IoFault::Target target);
  // Keeps the contents of a file whose name goes while a power cut could still
  // bring the name back. Real file and model change together, so under lock.
  rocksdb::IOStatus Bury(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CopyFile(const Inode& inode, const std::string& to,
                        const PowerCut& cut, std::mt19937_64* random) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string root_;
  const std::string graveyard_;

  mutable Mutex mutex_;
  uint64_t buried_ ABSL_GUARDED_BY(mutex_) = 0;
  Names live_ ABSL_GUARDED_BY(mutex_);
  Names durable_ ABSL_GUARDED_BY(mutex_);
  uint64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<IoFault> fault_ ABSL_GUARDED_BY(mutex_);
  uint64_t fault_counter_ ABSL_GUARDED_BY(mutex_) = 0;
  bool fault_was_met_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t hook_at_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> hook_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant::test
