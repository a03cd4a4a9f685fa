// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "storage/format.pb.h"
#include "storage/records.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace sextant {

// A named run of bytes of a segment file. Not owned.
struct SegmentSection {
  std::string name;  // 1 to 64 bytes, unique in the file
  absl::string_view bytes;
};

// An open, memory-mapped, verified segment file. Immutable and thread-safe;
// sections stay valid as long as it lives (also after the file is removed).
class SegmentFile {
 public:
  virtual ~SegmentFile() = default;
  // Starts on a 4,096-byte boundary of the mapping. kDataLoss if missing.
  virtual absl::StatusOr<absl::string_view> Section(
      absl::string_view name) const = 0;
  // The same of a section that older files do not have: empty if missing.
  virtual absl::string_view FindSection(absl::string_view name) const = 0;
  // All of them, in the order of the file.
  virtual std::vector<SegmentSection> Sections() const = 0;
  // Takes its pages out of this process's memory. What is read later comes back
  // from the page cache, or from the disk.
  virtual void Unload() const = 0;
  virtual uint64_t size_bytes() const = 0;
  virtual const std::string& path() const = 0;
};

// The segment files of all collections:
// `segments/<collection number>/<segment number>.seg`.
//
// File = header {magic, format version, collection uuid, segment number, rows}
// + sections on 4,096-byte boundaries + table of contents with an XXH3-64 for
// each 1 MiB block + footer. Written as temporary file, fsync, rename, fsync
// of the directory, so a file under its final name is whole.
//
// Thread-safe. kDataLoss names the file and what is wrong with it.
class SegmentDirectory {
 public:
  virtual ~SegmentDirectory() = default;

  // Writes a file; fills in size_bytes and contents_hash of the record it
  // returns (number, rows as given; no dead rows).
  virtual absl::StatusOr<storage::SegmentRecord> Write(
      const storage::CollectionRecord& collection, uint64_t segment_number,
      uint64_t rows, std::span<const SegmentSection> sections) = 0;

  // Maps the file and checks everything: magic, version, uuid, number, rows,
  // size, contents hash against `record`, and every block's hash.
  virtual absl::StatusOr<std::shared_ptr<const SegmentFile>> Open(
      const storage::CollectionRecord& collection,
      const storage::SegmentRecord& record) = 0;

  // Removes the collection's files that are not in `keep` (leftovers of a
  // crash, temporary files, merged segments).
  virtual absl::Status RemoveAllBut(CollectionNumber collection,
                                    std::span<const uint64_t> keep) = 0;
};

}  // namespace sextant
