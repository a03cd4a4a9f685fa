// SPDX-License-Identifier: Apache-2.0
#include "index/text/posting_writer.h"

#include <algorithm>
#include <limits>

#include "index/text/impacts.h"
#include "index/text/posting_block.h"

namespace sextant {
namespace {

WeightRange RangeOf(std::span<const float> weights) {
  const auto [min, max] = std::minmax_element(weights.begin(), weights.end());
  return {*min, *max};
}

}  // namespace

PostingWriter::PostingWriter(bool positions, std::span<const uint32_t> lengths)
    : has_positions_(positions), lengths_(lengths) {
  uint64_t rows = 0;
  uint64_t tokens = 0;
  for (const uint32_t length : lengths) {
    rows += length > 0 ? 1 : 0;
    tokens += length;
  }
  average_length_ =
      rows == 0 ? 0 : static_cast<double>(tokens) / static_cast<double>(rows);
}

TermDictionary::Extent PostingWriter::Append(const TermPostings& postings) {
  TermDictionary::Extent extent;
  extent.list.count = static_cast<uint32_t>(postings.rows.size());
  extent.list.first_block = static_cast<uint32_t>(last_rows_.size());
  extent.list.posting_offset = postings_.size();
  extent.list.position_offset = positions_.size();
  if (postings.rows.size() <= kBlockPostings) {
    AppendBlock({postings.rows, postings.tfs, postings.weights},
                kBeforeFirstRow, &postings_);
    if (has_positions_) {
      AppendBlockPositions(postings.tfs, postings.positions, &positions_);
    }
  } else {
    AppendBlocks(postings);
  }
  extent.posting_bytes = postings_.size() - extent.list.posting_offset;
  extent.position_bytes = positions_.size() - extent.list.position_offset;
  return extent;
}

void PostingWriter::AppendBlocks(const TermPostings& postings) {
  const size_t posting_start = postings_.size();
  const size_t position_start = positions_.size();
  const bool counts = postings.weights.empty();
  ImpactCollector all;
  Ordinal before = kBeforeFirstRow;
  size_t position = 0;
  for (size_t first = 0; first < postings.rows.size();
       first += kBlockPostings) {
    const size_t size =
        std::min<size_t>(kBlockPostings, postings.rows.size() - first);
    BlockOfPostings block;
    block.rows = postings.rows.subspan(first, size);
    AppendEntry(block.rows.back(), postings_.size() - posting_start,
                positions_.size() - position_start);
    if (counts) {
      block.tfs = postings.tfs.subspan(first, size);
      ImpactCollector impacts;
      uint64_t tokens = 0;
      for (size_t i = 0; i < size; ++i) {
        impacts.Add(block.tfs[i], lengths_[block.rows[i]]);
        tokens += block.tfs[i];
      }
      impacts_.push_back(impacts.Finish(average_length_));
      all.Merge(impacts);
      if (has_positions_) {
        AppendBlockPositions(block.tfs,
                             postings.positions.subspan(position, tokens),
                             &positions_);
        position += tokens;
      }
    } else {
      block.weights = postings.weights.subspan(first, size);
      weights_.push_back(RangeOf(block.weights));
    }
    AppendBlock(block, before, &postings_);
    before = block.rows.back();
  }
  AppendEntry(kEndRow, postings_.size() - posting_start,
              positions_.size() - position_start);
  if (counts) {
    impacts_.push_back(all.Finish(average_length_));
  } else {
    weights_.push_back(RangeOf(postings.weights));
  }
}

void PostingWriter::AppendEntry(Ordinal last_row, uint64_t postings,
                                uint64_t positions) {
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  too_large_ = too_large_ || postings > kMax || positions > kMax ||
               last_rows_.size() >= kMax;
  last_rows_.push_back(last_row);
  posting_offsets_.push_back(static_cast<uint32_t>(postings));
  if (has_positions_) {
    position_offsets_.push_back(static_cast<uint32_t>(positions));
  }
}

absl::Status PostingWriter::status() const {
  return too_large_ ? absl::ResourceExhaustedError(
                          "text index: the postings of a term exceed 4 GiB")
                    : absl::OkStatus();
}

void PostingWriter::FillHeader(TextHeader* header) const {
  header->blocks = static_cast<uint32_t>(last_rows_.size());
  header->has_positions = has_positions_ ? 1 : 0;
  header->posting_bytes = postings_.size();
  header->position_bytes = positions_.size();
}

void PostingWriter::AppendSections(std::string* bytes) const {
  AppendTextArray(std::span(last_rows_), bytes);
  AppendTextArray(std::span(posting_offsets_), bytes);
  AppendTextArray(std::span(position_offsets_), bytes);
  AppendTextArray(std::span(impacts_), bytes);
  AppendTextArray(std::span(weights_), bytes);
  for (const std::string* section : {&postings_, &positions_}) {
    bytes->append(*section);
    bytes->append(kPackedPadding, '\0');
    bytes->resize(static_cast<size_t>(PaddedTextSize(bytes->size())));
  }
}

}  // namespace sextant
