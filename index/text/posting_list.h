// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "index/metric.h"

namespace sextant {

// Postings of a block; each but the last of a list is full.
inline constexpr uint32_t kBlockPostings = 128;

// Past every row; a cursor that has reached the end stands there.
inline constexpr Ordinal kEndRow = std::numeric_limits<Ordinal>::max();

// A bound on some postings: none has both a higher tf and a shorter text than
// one of the pairs of its set says. Kept as integers, so that k1, b, idf and
// average length may differ from query to query. A tf of 65535 stands for any,
// a length of 65535 for that or more.
struct Impact {
  uint16_t tf = 0;
  uint16_t length = 0;
  friend bool operator==(const Impact&, const Impact&) = default;
};
inline constexpr size_t kImpacts = 4;
using ImpactSet = std::array<Impact, kImpacts>;  // the last one may repeat

// The bound of a block of weights.
struct WeightRange {
  float min = 0;
  float max = 0;
};

// Postings as they are, not packed: of the newest rows, or of a prefix. Sparse
// ones have weights instead of tfs.
struct MemoryPostings {
  std::vector<Ordinal> rows;  // ascending
  std::vector<uint32_t> tfs;
  std::vector<float> weights;
  std::vector<uint32_t> position_ends;  // by posting; empty without positions
  std::vector<uint32_t> positions;
};

// Where the postings of one term are: views of a mapped file, or of memory.
// Copied freely, like a span.
struct PostingList {
  uint32_t count = 0;
  // Of lists of several blocks, one entry a block and one for the whole: its
  // last_row is kEndRow, its offsets are the sizes, its impacts hold for all
  // rows. Else null.
  const Ordinal* last_rows = nullptr;
  const uint32_t* posting_offsets = nullptr;
  const uint32_t* position_offsets = nullptr;
  const ImpactSet* impacts = nullptr;    // of counts
  const WeightRange* weights = nullptr;  // of weights
  const char* postings = nullptr;
  const char* positions = nullptr;         // null without positions
  const MemoryPostings* memory = nullptr;  // all of the above is null then

  bool empty() const { return count == 0; }
  uint32_t blocks() const {
    return (count + kBlockPostings - 1) / kBlockPostings;
  }
  bool is_single_block() const { return count <= kBlockPostings; }
};

// Texts of 0 to 2^32 - 1 tokens in 1, 2 or 4 bytes a row. `bytes` has 3 bytes
// more than it needs.
class TextLengths {
 public:
  TextLengths() = default;
  TextLengths(const char* bytes, uint32_t width, uint32_t rows)
      : bytes_(bytes),
        width_(width),
        mask_(width == 4 ? ~uint32_t{0} : (uint32_t{1} << (8 * width)) - 1),
        rows_(rows) {}

  uint32_t rows() const { return rows_; }
  uint32_t operator[](Ordinal row) const {
    uint32_t value = 0;
    std::memcpy(&value, bytes_ + size_t{row} * width_, sizeof(value));
    return value & mask_;
  }

 private:
  const char* bytes_ = nullptr;
  uint32_t width_ = 1;
  uint32_t mask_ = 0;
  uint32_t rows_ = 0;
};

// Where a list begins in its store.
struct PostingListRecord {
  uint32_t count = 0;
  uint32_t first_block = 0;  // into the arrays; of lists of several blocks
  uint64_t posting_offset = 0;
  uint64_t position_offset = 0;
};

// The packed postings of all terms of an index. Reads bytes it does not own.
struct PostingStore {
  std::span<const Ordinal> last_rows;
  std::span<const uint32_t> posting_offsets;
  std::span<const uint32_t> position_offsets;  // empty without positions
  std::span<const ImpactSet> impacts;          // of counts
  std::span<const WeightRange> weights;        // of weights
  std::span<const char> postings;
  std::span<const char> positions;
  bool has_positions = false;

  PostingList At(const PostingListRecord& record) const {
    PostingList list;
    list.count = record.count;
    list.postings = postings.data() + record.posting_offset;
    if (has_positions) {
      list.positions = positions.data() + record.position_offset;
    }
    if (!list.is_single_block()) {
      list.last_rows = last_rows.data() + record.first_block;
      list.posting_offsets = posting_offsets.data() + record.first_block;
      if (has_positions) {
        list.position_offsets = position_offsets.data() + record.first_block;
      }
      list.impacts =
          impacts.empty() ? nullptr : impacts.data() + record.first_block;
      list.weights =
          weights.empty() ? nullptr : weights.data() + record.first_block;
    }
    return list;
  }
};

}  // namespace sextant
