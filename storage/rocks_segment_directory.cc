// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_segment_directory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/checksum.h"
#include "base/crash_point.h"
#include "base/status_macros.h"
#include "storage/file_io.h"
#include "storage/mapped_segment.h"
#include "storage/rocks_status.h"
#include "storage/segment_format.h"

namespace sextant {
namespace {

constexpr absl::string_view kSuffix = ".seg";
constexpr absl::string_view kTemporarySuffix = ".tmp";
constexpr size_t kSectionNameMax = 64;

rocksdb::FileOptions SegmentFileOptions() {
  rocksdb::FileOptions options;
  options.use_mmap_writes = false;
  // Starts writing out early, so that the fsync at the end is short.
  options.bytes_per_sync = kSegmentBlockSize;
  return options;
}

// Appends to a file and hashes each block on the way.
class BlockWriter {
 public:
  explicit BlockWriter(rocksdb::FSWritableFile* file) : file_(file) {}

  absl::Status Append(absl::string_view bytes) {
    while (!bytes.empty()) {
      const absl::string_view piece =
          bytes.substr(0, kSegmentBlockSize - offset_ % kSegmentBlockSize);
      if (const rocksdb::IOStatus status =
              file_->Append(ToSlice(piece), {}, nullptr);
          !status.ok()) {
        return FromRocks(status, "append");
      }
      block_->Update(piece);
      offset_ += piece.size();
      if (offset_ % kSegmentBlockSize == 0) {
        EndBlock();
      }
      bytes.remove_prefix(piece.size());
    }
    return absl::OkStatus();
  }

  absl::Status Pad() {
    return Append(std::string(SegmentPadding(offset_), '\0'));
  }

  uint64_t offset() const { return offset_; }

  // Ends the last block, which may be short.
  std::vector<uint64_t> TakeHashes() {
    if (offset_ % kSegmentBlockSize != 0) {
      EndBlock();
    }
    return std::move(hashes_);
  }

 private:
  void EndBlock() {
    hashes_.push_back(block_->Digest64());
    block_ = std::make_unique<RunningChecksum>();
  }

  rocksdb::FSWritableFile* const file_;
  uint64_t offset_ = 0;
  std::unique_ptr<RunningChecksum> block_ = std::make_unique<RunningChecksum>();
  std::vector<uint64_t> hashes_;
};

absl::Status AppendRaw(rocksdb::FSWritableFile* file,
                       const std::string& bytes) {
  return FromRocks(file->Append(bytes, {}, nullptr), "append");
}

// Writes the whole file, unsynced; fills in size and hash of the record.
absl::Status WriteContents(rocksdb::FSWritableFile* file,
                           const std::string& header,
                           std::span<const SegmentSection> sections,
                           storage::SegmentRecord* record) {
  BlockWriter writer(file);
  RETURN_IF_ERROR(writer.Append(header));
  SegmentContents contents;
  for (const SegmentSection& section : sections) {
    CHECK(!section.name.empty() && section.name.size() <= kSectionNameMax);
    contents.sections.push_back(
        {section.name, writer.offset(), section.bytes.size()});
    RETURN_IF_ERROR(writer.Append(section.bytes));
    RETURN_IF_ERROR(writer.Pad());
  }
  contents.block_hashes = writer.TakeHashes();
  const std::string encoded = EncodeSegmentContents(contents);
  SegmentFooter footer;
  footer.contents_offset = writer.offset();
  footer.contents_size = encoded.size();
  footer.contents_hash = Checksum64(encoded);
  footer.file_size = writer.offset() + encoded.size() + kSegmentFooterSize;
  RETURN_IF_ERROR(AppendRaw(file, encoded));
  RETURN_IF_ERROR(AppendRaw(file, EncodeSegmentFooter(footer)));
  record->set_size_bytes(footer.file_size);
  record->set_contents_hash(footer.contents_hash);
  return absl::OkStatus();
}

}  // namespace

RocksSegmentDirectory::RocksSegmentDirectory(std::string path,
                                             rocksdb::FileSystem* files)
    : path_(std::move(path)), files_(files) {}

std::string RocksSegmentDirectory::CollectionPath(
    CollectionNumber collection) const {
  return absl::StrCat(path_, "/", collection);
}

std::string RocksSegmentDirectory::SegmentPath(CollectionNumber collection,
                                               uint64_t segment_number) const {
  return absl::StrCat(CollectionPath(collection), "/", segment_number, kSuffix);
}

absl::StatusOr<storage::SegmentRecord> RocksSegmentDirectory::Write(
    const storage::CollectionRecord& collection, uint64_t segment_number,
    uint64_t rows, std::span<const SegmentSection> sections) {
  const std::string path = SegmentPath(collection.number(), segment_number);
  const std::string temporary_path = absl::StrCat(path, kTemporarySuffix);
  storage::SegmentRecord record;
  record.set_number(segment_number);
  record.set_rows(rows);
  const std::string header = EncodeSegmentHeader(
      {.uuid = collection.uuid(), .number = segment_number, .rows = rows});
  {
    MutexLock lock(&mutex_);
    CHECK(in_progress_.insert(temporary_path).second)
        << " two writers of " << path;
  }
  absl::Status status =
      CreateDirectory(files_, CollectionPath(collection.number()));
  if (status.ok()) {
    status = SyncDirectory(files_, path_);
  }
  if (status.ok()) {
    status = WriteDurably(path, temporary_path, sections, &record, header);
  }
  if (!status.ok()) {
    // Its room may be what the disk lacks; else RemoveAllBut finds it later.
    files_->DeleteFile(temporary_path, {}, nullptr).PermitUncheckedError();
  }
  {
    MutexLock lock(&mutex_);
    in_progress_.erase(temporary_path);
  }
  if (!status.ok()) {
    return WithContext(status, path);
  }
  return record;
}

absl::Status RocksSegmentDirectory::WriteDurably(
    const std::string& path, const std::string& temporary_path,
    std::span<const SegmentSection> sections, storage::SegmentRecord* record,
    const std::string& header) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  CRASH_POINT("segment:before_write");
  RETURN_IF_ERROR(
      FromRocks(files_->NewWritableFile(temporary_path, SegmentFileOptions(),
                                        &file, nullptr),
                "create"));
  RETURN_IF_ERROR(WriteContents(file.get(), header, sections, record));
  CRASH_POINT("segment:before_fsync");
  RETURN_IF_ERROR(FromRocks(file->Fsync({}, nullptr), "fsync"));
  CRASH_POINT("segment:after_fsync");
  RETURN_IF_ERROR(FromRocks(file->Close({}, nullptr), "close"));
  CRASH_POINT("segment:before_rename");
  RETURN_IF_ERROR(RenameFile(files_, temporary_path, path));
  CRASH_POINT("segment:after_rename");
  RETURN_IF_ERROR(
      SyncDirectory(files_, path.substr(0, path.find_last_of('/'))));
  CRASH_POINT("segment:after_directory_fsync");
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const SegmentFile>> RocksSegmentDirectory::Open(
    const storage::CollectionRecord& collection,
    const storage::SegmentRecord& record) {
  const std::string path = SegmentPath(collection.number(), record.number());
  const rocksdb::IOStatus exists = files_->FileExists(path, {}, nullptr);
  if (exists.IsNotFound()) {
    return absl::DataLossError(absl::StrCat(path, ": the file is missing"));
  }
  RETURN_IF_ERROR(FromRocks(exists, path));
  MappedSegment::Expected expected;
  expected.identity = {.uuid = collection.uuid(),
                       .number = record.number(),
                       .rows = record.rows()};
  expected.size_bytes = record.size_bytes();
  expected.contents_hash = record.contents_hash();
  return MappedSegment::Open(path, expected);
}

absl::Status RocksSegmentDirectory::RemoveAllBut(
    CollectionNumber collection, std::span<const uint64_t> keep) {
  const std::string directory = CollectionPath(collection);
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   ListDirectory(files_, directory));
  size_t kept = 0;
  for (const std::string& name : names) {
    uint64_t number = 0;
    const std::string path = absl::StrCat(directory, "/", name);
    bool wanted = absl::EndsWith(name, kSuffix) &&
                  absl::SimpleAtoi(name.substr(0, name.size() - kSuffix.size()),
                                   &number) &&
                  std::find(keep.begin(), keep.end(), number) != keep.end();
    if (!wanted) {
      MutexLock lock(&mutex_);
      wanted = in_progress_.contains(path);
    }
    if (wanted) {
      ++kept;
      continue;
    }
    CRASH_POINT("segment:before_remove");
    RETURN_IF_ERROR(DeleteFile(files_, path));
  }
  if (kept == 0 && keep.empty()) {
    // The collection is gone or has no segments. Fails, and may, when there is
    // something in it.
    files_->DeleteDir(directory, {}, nullptr).PermitUncheckedError();
  }
  return absl::OkStatus();
}

}  // namespace sextant
