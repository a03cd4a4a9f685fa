// SPDX-License-Identifier: Apache-2.0
//
// Layout of a segment file:
//
//   0        header: magic (8), version u32, zero u32, collection uuid (16),
//            segment number u64, rows u64; zeros up to 4,096
//   4096 n   sections, each on a 4,096-byte boundary, zeros between
//   contents section count u32, sections (name with u32 length, offset u64,
//            size u64), block count u32, XXH3-64 of each 1 MiB block of
//            everything before the contents
//   footer   contents offset u64, contents size u64, XXH3-64 of the contents
//            u64, file size u64, magic (8)
//
// Integers are little-endian. These functions are pure; messages carry no path.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

inline constexpr size_t kUuidSize = 16;
inline constexpr uint64_t kSegmentAlignment = 4096;
inline constexpr uint64_t kSegmentBlockSize = uint64_t{1} << 20U;
inline constexpr uint32_t kSegmentFormatVersion = 1;
inline constexpr size_t kSegmentFooterSize = 40;

// What a segment file says it is.
struct SegmentIdentity {
  std::string uuid;  // kUuidSize bytes
  uint64_t number = 0;
  uint64_t rows = 0;
  friend bool operator==(const SegmentIdentity&,
                         const SegmentIdentity&) = default;
};

struct SegmentContents {
  struct Entry {
    std::string name;
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  std::vector<Entry> sections;
  std::vector<uint64_t> block_hashes;
};

struct SegmentFooter {
  uint64_t contents_offset = 0;
  uint64_t contents_size = 0;
  uint64_t contents_hash = 0;
  uint64_t file_size = 0;
};

// kSegmentAlignment bytes.
std::string EncodeSegmentHeader(const SegmentIdentity& identity);
absl::StatusOr<SegmentIdentity> DecodeSegmentHeader(absl::string_view header);

std::string EncodeSegmentContents(const SegmentContents& contents);
// Every section lies between the header and `contents_offset`.
absl::StatusOr<SegmentContents> DecodeSegmentContents(absl::string_view bytes,
                                                      uint64_t contents_offset);

std::string EncodeSegmentFooter(const SegmentFooter& footer);
// Offsets and sizes agree with `file_size`.
absl::StatusOr<SegmentFooter> DecodeSegmentFooter(absl::string_view footer,
                                                  uint64_t file_size);

// Bytes of zeros after `offset` up to the next section.
uint64_t SegmentPadding(uint64_t offset);

}  // namespace sextant
