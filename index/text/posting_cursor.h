// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "index/text/posting_list.h"

namespace sextant {

// The first of `size` ascending rows from `i` on that is not before `target`;
// `size` if there is none.
inline uint32_t FindRow(const Ordinal* rows, uint32_t i, uint32_t size,
                        Ordinal target) {
  // By groups, then by counting inside one, which needs no branches.
  constexpr uint32_t kGroup = 16;
  while (i + kGroup <= size) {
    if (rows[i + kGroup - 1] >= target) {
      uint32_t before = 0;
      for (uint32_t j = 0; j < kGroup; ++j) {
        before += rows[i + j] < target ? 1U : 0U;
      }
      return i + before;
    }
    i += kGroup;
  }
  while (i < size && rows[i] < target) {
    ++i;
  }
  return i;
}

// Walks a list upwards. Blocks are found without being unpacked (SeekBlock),
// unpacked when a row is asked for, their counts when one is.
//
// A view of the list. Owned by one thread.
class PostingCursor {
 public:
  // An empty list.
  PostingCursor() = default;
  // At the first posting.
  explicit PostingCursor(const PostingList& list);
  // Points into itself.
  PostingCursor(const PostingCursor&) = delete;
  PostingCursor& operator=(const PostingCursor&) = delete;

  // Back to the first posting.
  void Rewind();

  // kEndRow after the last posting.
  Ordinal row() const { return row_; }
  // To the next posting; not at the end.
  void Next() {
    if (++i_ < size_) {
      row_ = rows_[i_];
    } else {
      NextBlock();
    }
  }
  // To the first posting at or after `target`, which is not before the last
  // target; returns its row.
  Ordinal Advance(Ordinal target) {
    return row_ >= target ? row_ : AdvanceTo(target);
  }
  uint32_t tf() {
    if (counts_block_ != block_) {
      LoadCounts();
    }
    return tfs_[i_];
  }
  float weight() { return LoadWeights()[i_]; }
  // Of the current posting; only where the list has positions.
  void AppendPositions(std::vector<uint32_t>* positions);

  // By block, for searches that look ahead. A cursor that was moved so far has
  // no row() before it is unpacked.

  uint32_t count() const { return list_.count; }
  uint32_t block() const { return block_; }
  uint32_t blocks() const { return blocks_; }
  // The last row of a block < blocks().
  Ordinal LastRow(uint32_t block) const {
    return list_.last_rows != nullptr ? list_.last_rows[block]
                                      : LastRowWithoutTable(block);
  }
  // To the first block that ends at or after `target`; blocks() if none does.
  uint32_t SeekBlock(Ordinal target);
  // Unpacks the rows of block() < blocks(), if they are not yet.
  void LoadBlock();
  uint32_t size() const { return size_; }  // of the block that is unpacked
  const Ordinal* rows() const { return rows_; }
  const uint32_t* LoadCounts();
  const float* LoadWeights();
  // Stands at posting `i` of the block that is unpacked; i < size().
  void MoveTo(uint32_t i) {
    i_ = i;
    row_ = rows_[i];
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  Ordinal AdvanceTo(Ordinal target);
  Ordinal LastRowWithoutTable(uint32_t block) const;
  void NextBlock();
  const char* BlockBytes() const;

  PostingList list_;
  uint32_t blocks_ = 0;
  uint32_t block_ = 0;
  uint32_t loaded_ = kNone;        // block whose rows are unpacked
  uint32_t counts_block_ = kNone;  // and whose counts or weights are
  uint32_t size_ = 0;
  uint32_t i_ = 0;
  Ordinal row_ = kEndRow;
  const Ordinal* rows_ = nullptr;
  const uint32_t* tfs_ = nullptr;
  const float* weights_ = nullptr;
  // Positions before posting summed_ of the block.
  uint32_t summed_block_ = kNone;
  uint32_t summed_ = 0;
  uint64_t sum_ = 0;
  alignas(64) std::array<Ordinal, kBlockPostings> row_buffer_;
  alignas(64) std::array<uint32_t, kBlockPostings> count_buffer_;
};

}  // namespace sextant
