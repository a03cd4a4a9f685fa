// SPDX-License-Identifier: Apache-2.0
#include "index/text/posting_cursor.h"

#include <algorithm>
#include <cstring>

#include "index/text/posting_block.h"

namespace sextant {

// The buffers are written before they are read.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
PostingCursor::PostingCursor(const PostingList& list)
    : list_(list), blocks_(list.blocks()) {
  Rewind();
}

void PostingCursor::Rewind() {
  block_ = 0;
  if (blocks_ > 0) {
    LoadBlock();
    MoveTo(0);
  }
}

Ordinal PostingCursor::LastRowWithoutTable(uint32_t block) const {
  if (list_.memory != nullptr) {
    const size_t end =
        std::min<size_t>(list_.count, (size_t{block} + 1) * kBlockPostings);
    return list_.memory->rows[end - 1];
  }
  // The only block, which the constructor has unpacked.
  return rows_[size_ - 1];
}

uint32_t PostingCursor::SeekBlock(Ordinal target) {
  uint32_t first = block_;
  uint32_t step = 1;
  while (first + step < blocks_ && LastRow(first + step - 1) < target) {
    first += step;
    step *= 2;
  }
  uint32_t count = std::min(step, blocks_ - first);
  while (count > 0) {
    const uint32_t half = count / 2;
    if (LastRow(first + half) < target) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  block_ = first;
  if (block_ == blocks_) {
    row_ = kEndRow;
  }
  return block_;
}

const char* PostingCursor::BlockBytes() const {
  return list_.posting_offsets == nullptr
             ? list_.postings
             : list_.postings + list_.posting_offsets[block_];
}

void PostingCursor::LoadBlock() {
  if (loaded_ == block_) {
    return;
  }
  const uint32_t first = block_ * kBlockPostings;
  size_ = std::min(kBlockPostings, list_.count - first);
  if (list_.memory != nullptr) {
    rows_ = list_.memory->rows.data() + first;
  } else {
    const Ordinal before = block_ == 0 || list_.last_rows == nullptr
                               ? kBeforeFirstRow
                               : list_.last_rows[block_ - 1];
    ReadBlockRows(BlockBytes(), size_, before, row_buffer_.data());
    rows_ = row_buffer_.data();
  }
  loaded_ = block_;
  i_ = 0;
}

const uint32_t* PostingCursor::LoadCounts() {
  if (counts_block_ != block_) {
    if (list_.memory != nullptr) {
      tfs_ = list_.memory->tfs.data() + size_t{block_} * kBlockPostings;
    } else {
      ReadBlockCounts(BlockBytes(), size_, count_buffer_.data());
      tfs_ = count_buffer_.data();
    }
    counts_block_ = block_;
  }
  return tfs_;
}

const float* PostingCursor::LoadWeights() {
  if (counts_block_ != block_) {
    if (list_.memory != nullptr) {
      weights_ = list_.memory->weights.data() + size_t{block_} * kBlockPostings;
    } else {
      // The bytes of weights need not be aligned.
      static_assert(sizeof(float) == sizeof(uint32_t));
      std::memcpy(count_buffer_.data(), BlockWeights(BlockBytes(), size_),
                  size_ * sizeof(float));
      weights_ = reinterpret_cast<const float*>(count_buffer_.data());
    }
    counts_block_ = block_;
  }
  return weights_;
}

Ordinal PostingCursor::AdvanceTo(Ordinal target) {
  if (loaded_ != block_ || rows_[size_ - 1] < target) {
    if (SeekBlock(target) == blocks_) {
      return kEndRow;
    }
    LoadBlock();
  }
  MoveTo(FindRow(rows_, i_, size_, target));
  return row_;
}

void PostingCursor::NextBlock() {
  if (block_ + 1 >= blocks_) {
    block_ = blocks_;
    row_ = kEndRow;
    return;
  }
  ++block_;
  LoadBlock();
  MoveTo(0);
}

void PostingCursor::AppendPositions(std::vector<uint32_t>* positions) {
  const uint32_t count = tf();
  const size_t size = positions->size();
  if (list_.memory != nullptr) {
    const MemoryPostings& memory = *list_.memory;
    const size_t end =
        memory.position_ends[size_t{block_} * kBlockPostings + i_];
    const auto first =
        memory.positions.begin() + static_cast<std::ptrdiff_t>(end - count);
    positions->insert(positions->end(), first, first + count);
    return;
  }
  if (summed_block_ != block_ || summed_ > i_) {
    summed_block_ = block_;
    summed_ = 0;
    sum_ = 0;
  }
  for (; summed_ < i_; ++summed_) {
    sum_ += tfs_[summed_];
  }
  const char* block = list_.position_offsets == nullptr
                          ? list_.positions
                          : list_.positions + list_.position_offsets[block_];
  positions->resize(size + count);
  ReadPositions(block, sum_, count, positions->data() + size);
}

}  // namespace sextant
