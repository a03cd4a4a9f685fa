// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "storage/segment_directory.h"
#include "storage/segment_format.h"

namespace sextant {

// A segment file in a read-only mapping, verified before anybody sees it.
// Immutable and thread-safe. The mapping outlives the file's name, but a file
// that somebody cuts short under it ends the process (SIGBUS).
class MappedSegment final : public SegmentFile {
 public:
  // What the file must turn out to be.
  struct Expected {
    SegmentIdentity identity;
    uint64_t size_bytes = 0;
    uint64_t contents_hash = 0;
  };

  // kDataLoss: damaged or another file; the message names `path`.
  static absl::StatusOr<std::shared_ptr<const SegmentFile>> Open(
      const std::string& path, const Expected& expected);

  ~MappedSegment() override;
  MappedSegment(const MappedSegment&) = delete;
  MappedSegment& operator=(const MappedSegment&) = delete;

  absl::StatusOr<absl::string_view> Section(
      absl::string_view name) const override;
  absl::string_view FindSection(absl::string_view name) const override;
  std::vector<SegmentSection> Sections() const override;
  void Unload() const override;
  uint64_t size_bytes() const override { return bytes_.size(); }
  const std::string& path() const override { return path_; }

 private:
  MappedSegment(std::string path, absl::string_view bytes);

  absl::Status Verify(const Expected& expected);
  absl::Status VerifyBlocks(absl::string_view blocks,
                            const SegmentContents& contents) const;

  const std::string path_;
  const absl::string_view bytes_;
  // Constant after Open.
  absl::flat_hash_map<std::string, absl::string_view> sections_;
};

}  // namespace sextant
