// SPDX-License-Identifier: Apache-2.0
#include "tests/support/power_cut_file_system.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "tests/support/power_cut_files.h"

namespace sextant::test {
namespace {

namespace fs = std::filesystem;

using rocksdb::IOStatus;

constexpr uint64_t kSectorSize = 512;

std::string ParentOf(const std::string& path) {
  return path.substr(0, path.find_last_of('/'));
}

}  // namespace

PowerCutFileSystem::Inode::~Inode() {
  if (buried) {
    std::error_code ignored;
    fs::remove(where, ignored);
  }
}

PowerCutFileSystem::PowerCutFileSystem(const std::string& root)
    : FileSystemWrapper(rocksdb::FileSystem::Default()),
      root_(root),
      graveyard_(absl::StrCat(root, ".graveyard")) {
  fs::create_directories(graveyard_);
  LoadExisting();
}

PowerCutFileSystem::~PowerCutFileSystem() {
  {
    MutexLock lock(&mutex_);
    live_.clear();
    durable_.clear();
  }
  std::error_code ignored;
  fs::remove_all(graveyard_, ignored);
}

void PowerCutFileSystem::LoadExisting() {
  if (!fs::exists(root_)) {
    return;
  }
  MutexLock lock(&mutex_);
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(root_)) {
    if (entry.is_regular_file() && IsModelled(entry.path().string())) {
      auto inode = std::make_shared<Inode>();
      inode->where = entry.path().string();
      inode->size = inode->synced_size = entry.file_size();
      live_[inode->where] = durable_[inode->where] = inode;
    }
  }
}

bool PowerCutFileSystem::IsModelled(const std::string& path) const {
  if (!absl::StartsWith(path, root_ + "/")) {
    return false;
  }
  const std::string name = fs::path(path).filename().string();
  return name != "LOCK" && !absl::StartsWith(name, "LOG");
}

// --- faults and hooks ---

void PowerCutFileSystem::Arm(const IoFault& fault) {
  MutexLock lock(&mutex_);
  fault_ = fault;
  fault_counter_ = 0;
  fault_was_met_ = false;
}

void PowerCutFileSystem::Disarm() {
  MutexLock lock(&mutex_);
  fault_.reset();
}

bool PowerCutFileSystem::fault_was_met() const {
  MutexLock lock(&mutex_);
  return fault_was_met_;
}

uint64_t PowerCutFileSystem::writes() const {
  MutexLock lock(&mutex_);
  return writes_;
}

void PowerCutFileSystem::BeforeWrite(uint64_t at, std::function<void()> hook) {
  MutexLock lock(&mutex_);
  hook_at_ = at;
  hook_ = std::move(hook);
}

std::optional<IOStatus> PowerCutFileSystem::CountFault(IoFault::Target target) {
  MutexLock lock(&mutex_);
  if (!fault_.has_value() || fault_->target != target) {
    return std::nullopt;
  }
  ++fault_counter_;
  if (fault_counter_ < fault_->at ||
      (fault_counter_ > fault_->at && !fault_->stays)) {
    return std::nullopt;
  }
  fault_was_met_ = true;
  return fault_->error == IoFault::Error::kNoSpace
             ? IOStatus::NoSpace("injected fault")
             : IOStatus::IOError("injected fault");
}

IOStatus PowerCutFileSystem::CountWrite() {
  std::function<void()> hook;
  {
    MutexLock lock(&mutex_);
    ++writes_;
    if (hook_ && writes_ >= hook_at_) {
      hook = std::exchange(hook_, nullptr);
    }
  }
  if (hook) {
    hook();
  }
  return CountFault(IoFault::Target::kWrites).value_or(IOStatus::OK());
}

IOStatus PowerCutFileSystem::CountRead() {
  return CountFault(IoFault::Target::kReads).value_or(IOStatus::OK());
}

// --- the model ---

void PowerCutFileSystem::Appended(Inode* inode, uint64_t bytes) {
  MutexLock lock(&mutex_);
  inode->size += bytes;
}

void PowerCutFileSystem::Truncated(Inode* inode, uint64_t size) {
  MutexLock lock(&mutex_);
  inode->size = size;
  inode->synced_size = std::min(inode->synced_size, size);
}

uint64_t PowerCutFileSystem::SizeOf(const Inode& inode) {
  MutexLock lock(&mutex_);
  return inode.size;
}

void PowerCutFileSystem::Synced(Inode* inode, uint64_t size) {
  MutexLock lock(&mutex_);
  inode->synced_size = std::max(inode->synced_size, size);
}

void PowerCutFileSystem::DirectorySynced(const std::string& path) {
  MutexLock lock(&mutex_);
  for (auto it = durable_.begin(); it != durable_.end();) {
    it = ParentOf(it->first) == path ? durable_.erase(it) : std::next(it);
  }
  for (const auto& [name, inode] : live_) {
    if (ParentOf(name) == path) {
      durable_[name] = inode;
    }
  }
}

IOStatus PowerCutFileSystem::Bury(const std::string& path) {
  const auto it = live_.find(path);
  if (it == live_.end()) {
    return IOStatus::OK();
  }
  const InodePtr inode = it->second;
  live_.erase(it);
  const std::string grave = absl::StrCat(graveyard_, "/", ++buried_);
  const IOStatus status = target()->RenameFile(path, grave, {}, nullptr);
  if (status.ok()) {
    inode->where = grave;
    inode->buried = true;
  }
  return status;
}

// --- rocksdb::FileSystem ---

IOStatus PowerCutFileSystem::NewSequentialFile(
    const std::string& path, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSSequentialFile>* result,
    rocksdb::IODebugContext* debug) {
  if (IOStatus status = CountRead(); !status.ok()) {
    return status;
  }
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  IOStatus status = target()->NewSequentialFile(path, options, &file, debug);
  if (status.ok()) {
    *result = std::make_unique<CountedSequentialFile>(this, std::move(file));
  }
  return status;
}

IOStatus PowerCutFileSystem::NewRandomAccessFile(
    const std::string& path, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
    rocksdb::IODebugContext* debug) {
  if (IOStatus status = CountRead(); !status.ok()) {
    return status;
  }
  std::unique_ptr<rocksdb::FSRandomAccessFile> file;
  IOStatus status = target()->NewRandomAccessFile(path, options, &file, debug);
  if (status.ok()) {
    *result = std::make_unique<CountedRandomAccessFile>(this, std::move(file));
  }
  return status;
}

IOStatus PowerCutFileSystem::NewWritableFile(
    const std::string& path, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSWritableFile>* result,
    rocksdb::IODebugContext* debug) {
  if (!IsModelled(path)) {
    return target()->NewWritableFile(path, options, result, debug);
  }
  if (IOStatus status = CountWrite(); !status.ok()) {
    return status;
  }
  MutexLock lock(&mutex_);
  if (IOStatus status = Bury(path); !status.ok()) {
    return status;
  }
  std::unique_ptr<rocksdb::FSWritableFile> file;
  IOStatus status = target()->NewWritableFile(path, options, &file, debug);
  if (status.ok()) {
    auto inode = std::make_shared<Inode>();
    inode->where = path;
    live_[path] = inode;
    *result = std::make_unique<TrackedWritableFile>(this, std::move(inode),
                                                    std::move(file));
  }
  return status;
}

IOStatus PowerCutFileSystem::ReopenWritableFile(
    const std::string& /*path*/, const rocksdb::FileOptions& /*options*/,
    std::unique_ptr<rocksdb::FSWritableFile>* /*result*/,
    rocksdb::IODebugContext* /*debug*/) {
  return IOStatus::NotSupported("ReopenWritableFile");
}

IOStatus PowerCutFileSystem::ReuseWritableFile(
    const std::string& /*path*/, const std::string& /*old_path*/,
    const rocksdb::FileOptions& /*options*/,
    std::unique_ptr<rocksdb::FSWritableFile>* /*result*/,
    rocksdb::IODebugContext* /*debug*/) {
  return IOStatus::NotSupported("ReuseWritableFile");
}

IOStatus PowerCutFileSystem::NewRandomRWFile(
    const std::string& /*path*/, const rocksdb::FileOptions& /*options*/,
    std::unique_ptr<rocksdb::FSRandomRWFile>* /*result*/,
    rocksdb::IODebugContext* /*debug*/) {
  return IOStatus::NotSupported("NewRandomRWFile");
}

IOStatus PowerCutFileSystem::NewDirectory(
    const std::string& path, const rocksdb::IOOptions& options,
    std::unique_ptr<rocksdb::FSDirectory>* result,
    rocksdb::IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  IOStatus status = target()->NewDirectory(path, options, &directory, debug);
  if (status.ok()) {
    *result =
        std::make_unique<TrackedDirectory>(this, path, std::move(directory));
  }
  return status;
}

IOStatus PowerCutFileSystem::DeleteFile(const std::string& path,
                                        const rocksdb::IOOptions& options,
                                        rocksdb::IODebugContext* debug) {
  if (!IsModelled(path)) {
    return target()->DeleteFile(path, options, debug);
  }
  if (IOStatus status = CountWrite(); !status.ok()) {
    return status;
  }
  MutexLock lock(&mutex_);
  return live_.contains(path) ? Bury(path)
                              : target()->DeleteFile(path, options, debug);
}

IOStatus PowerCutFileSystem::RenameFile(const std::string& from,
                                        const std::string& to,
                                        const rocksdb::IOOptions& options,
                                        rocksdb::IODebugContext* debug) {
  if (!IsModelled(from) || !IsModelled(to)) {
    return target()->RenameFile(from, to, options, debug);
  }
  if (IOStatus status = CountWrite(); !status.ok()) {
    return status;
  }
  MutexLock lock(&mutex_);
  if (IOStatus status = Bury(to); !status.ok()) {
    return status;
  }
  IOStatus status = target()->RenameFile(from, to, options, debug);
  if (const auto it = live_.find(from); status.ok() && it != live_.end()) {
    it->second->where = to;
    live_[to] = it->second;
    live_.erase(from);
  }
  return status;
}

IOStatus PowerCutFileSystem::LinkFile(const std::string& /*from*/,
                                      const std::string& /*to*/,
                                      const rocksdb::IOOptions& /*options*/,
                                      rocksdb::IODebugContext* /*debug*/) {
  return IOStatus::NotSupported("LinkFile");
}

IOStatus PowerCutFileSystem::Truncate(const std::string& path, size_t size,
                                      const rocksdb::IOOptions& options,
                                      rocksdb::IODebugContext* debug) {
  if (IOStatus status = CountWrite(); !status.ok()) {
    return status;
  }
  IOStatus status = target()->Truncate(path, size, options, debug);
  InodePtr inode;
  {
    MutexLock lock(&mutex_);
    if (const auto it = live_.find(path); it != live_.end()) {
      inode = it->second;
    }
  }
  if (status.ok() && inode != nullptr) {
    Truncated(inode.get(), size);
  }
  return status;
}

// --- the power cut ---

absl::Status PowerCutFileSystem::CopyFile(const Inode& inode,
                                          const std::string& to,
                                          const PowerCut& cut,
                                          std::mt19937_64* random) const {
  const uint64_t tail = inode.size - inode.synced_size;
  uint64_t keep = inode.synced_size;
  uint64_t zeros = 0;
  if (cut.tail != CutTail::kDropped) {
    keep += (*random)() % (tail + 1);
    if (cut.tail == CutTail::kZeroed) {
      // A disk writes whole sectors; the first one may hold synced bytes too.
      keep = std::max(inode.synced_size, keep / kSectorSize * kSectorSize);
      zeros = inode.size - keep;
    }
  }
  std::string bytes(keep, '\0');
  std::ifstream in(inode.where, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(keep));
  if (in.gcount() != static_cast<std::streamsize>(keep)) {
    return absl::InternalError(absl::StrCat("cannot read ", inode.where));
  }
  bytes.resize(keep + zeros, '\0');
  fs::create_directories(ParentOf(to));
  std::ofstream out(to, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? absl::OkStatus()
             : absl::InternalError(absl::StrCat("cannot write ", to));
}

absl::Status PowerCutFileSystem::CopyAfter(const PowerCut& cut,
                                           const std::string& target_path) {
  std::mt19937_64 random(cut.seed);
  fs::create_directories(target_path);
  // Held throughout, so that all files are of one moment.
  MutexLock lock(&mutex_);
  for (const auto& [name, inode] :
       cut.names == CutNames::kAll ? live_ : durable_) {
    const std::string to = target_path + name.substr(root_.size());
    if (absl::Status status = CopyFile(*inode, to, cut, &random);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace sextant::test
