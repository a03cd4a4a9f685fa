// SPDX-License-Identifier: Apache-2.0
#include "index/text/posting_check.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/status_macros.h"
#include "index/text/posting_block.h"
#include "index/text/sparse_index.h"
#include "index/text/text_layout.h"

namespace sextant {
namespace {

bool Covers(const ImpactSet& impacts, uint32_t tf, uint32_t length) {
  constexpr uint32_t kAny = 0xFFFF;
  for (const Impact& impact : impacts) {
    if ((impact.tf >= tf || impact.tf == kAny) && impact.length <= length) {
      return true;
    }
  }
  return false;
}

}  // namespace

absl::Status PostingCheck::List(const TermDictionary::Extent& extent) {
  if (extent.list.count > rows_) {
    return DamagedText("a term is in more rows than there are");
  }
  if (extent.posting_bytes > store_.postings.size() - posting_ ||
      extent.position_bytes > store_.positions.size() - position_ ||
      (!store_.has_positions && extent.position_bytes != 0)) {
    return DamagedText("the postings of a term are cut off");
  }
  if (extent.list.count <= kBlockPostings) {
    Part part;
    part.count = extent.list.count;
    part.postings = posting_;
    part.posting_bytes = extent.posting_bytes;
    part.positions = position_;
    part.position_bytes = extent.position_bytes;
    Ordinal last = 0;
    RETURN_IF_ERROR(Block(part, kBeforeFirstRow, &last));
  } else {
    RETURN_IF_ERROR(Blocks(extent));
  }
  posting_ += extent.posting_bytes;
  position_ += extent.position_bytes;
  return absl::OkStatus();
}

absl::Status PostingCheck::Blocks(const TermDictionary::Extent& extent) {
  const uint32_t entries = BlockEntries(extent.list.count);
  if (entries > store_.last_rows.size() - block_) {
    return DamagedText("the blocks of a term are cut off");
  }
  const size_t end = static_cast<size_t>(block_) + entries - 1;
  const auto position_offset = [&](size_t entry) -> uint64_t {
    return store_.has_positions ? store_.position_offsets[entry] : 0;
  };
  if (store_.last_rows[end] != kEndRow ||
      store_.posting_offsets[end] != extent.posting_bytes ||
      position_offset(end) != extent.position_bytes) {
    return DamagedText("the blocks of a term have other sizes than its list");
  }
  const auto first = static_cast<size_t>(block_);
  if (store_.posting_offsets[first] != 0 || position_offset(first) != 0) {
    return DamagedText("the first block of a term is elsewhere");
  }
  Ordinal before = kBeforeFirstRow;
  uint32_t left = extent.list.count;
  for (size_t entry = first; entry < end; ++entry) {
    if (store_.posting_offsets[entry] > store_.posting_offsets[entry + 1] ||
        position_offset(entry) > position_offset(entry + 1)) {
      return DamagedText("the blocks of a term do not ascend");
    }
    Part part;
    part.count = std::min(left, kBlockPostings);
    part.impacts = store_.impacts.empty() ? nullptr : &store_.impacts[entry];
    part.weights = store_.weights.empty() ? nullptr : &store_.weights[entry];
    part.postings = posting_ + store_.posting_offsets[entry];
    part.posting_bytes =
        store_.posting_offsets[entry + 1] - store_.posting_offsets[entry];
    part.positions = position_ + position_offset(entry);
    part.position_bytes = position_offset(entry + 1) - position_offset(entry);
    RETURN_IF_ERROR(Block(part, before, &before));
    if (before != store_.last_rows[entry]) {
      return DamagedText("a block ends in another row than it says");
    }
    left -= part.count;
  }
  block_ += entries;
  return absl::OkStatus();
}

absl::Status PostingCheck::Block(const Part& part, Ordinal before,
                                 Ordinal* last) {
  if (part.posting_bytes < kBlockHeaderBytes) {
    return DamagedText("a block of postings is cut off");
  }
  const char* block = store_.postings.data() + part.postings;
  if (GapBits(block) > 32 || CountBits(block) > 32) {
    return DamagedText("integers of more than 32 bits");
  }
  const uint64_t payload = lengths_ != nullptr
                               ? PackedBytes(part.count, CountBits(block))
                               : uint64_t{part.count} * sizeof(float);
  if (part.posting_bytes !=
      kBlockHeaderBytes + PackedBytes(part.count, GapBits(block)) + payload) {
    return DamagedText("a block of postings has another size than its list");
  }
  std::array<Ordinal, kBlockPostings> rows;
  ReadBlockRows(block, part.count, before, rows.data());
  // A sum that wrapped does not ascend. The first row of a list may be any.
  for (uint32_t i = 0; i < part.count; ++i) {
    if (rows[i] >= rows_ || (before != kBeforeFirstRow && rows[i] <= before)) {
      return DamagedText("rows do not ascend");
    }
    before = rows[i];
  }
  *last = before;
  return lengths_ != nullptr ? Counts(part, rows.data()) : Weights(part);
}

absl::Status PostingCheck::Counts(const Part& part, const Ordinal* rows) {
  std::array<uint32_t, kBlockPostings> tfs;
  ReadBlockCounts(store_.postings.data() + part.postings, part.count,
                  tfs.data());
  uint64_t tokens = 0;
  for (uint32_t i = 0; i < part.count; ++i) {
    const uint32_t length = (*lengths_)[rows[i]];
    if (tfs[i] == 0 || tfs[i] > length) {
      return DamagedText("a count is above the length of its row");
    }
    if (part.impacts != nullptr && !Covers(*part.impacts, tfs[i], length)) {
      return DamagedText("a count is above the bound of its block");
    }
    tokens += tfs[i];
  }
  if (!store_.has_positions) {
    return absl::OkStatus();
  }
  if (part.position_bytes < 1) {
    return DamagedText("a block of positions is cut off");
  }
  const uint32_t bits = static_cast<uint8_t>(
      store_.positions[static_cast<size_t>(part.positions)]);
  if (bits > 32 || part.position_bytes != 1 + PackedRunBytes(tokens, bits)) {
    return DamagedText("a block of positions has another size than its list");
  }
  return absl::OkStatus();
}

absl::Status PostingCheck::Weights(const Part& part) {
  const char* weights =
      BlockWeights(store_.postings.data() + part.postings, part.count);
  for (uint32_t i = 0; i < part.count; ++i) {
    float weight = 0;
    std::memcpy(&weight, weights + i * sizeof(weight), sizeof(weight));
    if (!(std::abs(weight) <= kSparseWeightMax)) {
      return DamagedText("a weight is too large");
    }
    // Not the negation of two tests: a bound that is not a number fails.
    if (part.weights != nullptr &&
        !(part.weights->min <= weight && weight <= part.weights->max)) {
      return DamagedText("a weight is outside the bounds of its block");
    }
  }
  return absl::OkStatus();
}

absl::Status PostingCheck::Finish() const {
  if (block_ != store_.last_rows.size() || posting_ != store_.postings.size() ||
      position_ != store_.positions.size()) {
    return DamagedText("postings that belong to no term");
  }
  return absl::OkStatus();
}

}  // namespace sextant
