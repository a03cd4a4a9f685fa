// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "index/text/posting_list.h"
#include "index/text/term_dictionary.h"
#include "index/text/text_layout.h"

namespace sextant {

// All postings of a term. Either tfs or weights is as long as rows; positions
// are those of all rows, or empty.
struct TermPostings {
  std::span<const Ordinal> rows;  // ascending, not empty
  std::span<const uint32_t> tfs;
  std::span<const float> weights;
  std::span<const uint32_t> positions;
};

// Packs the postings of one term after the other, and writes what a file ends
// with. Owned by one thread.
class PostingWriter {
 public:
  // `lengths`: tokens by row, which outlive it; empty for weights.
  PostingWriter(bool positions, std::span<const uint32_t> lengths);

  TermDictionary::Extent Append(const TermPostings& postings);

  // kResourceExhausted when there are too many blocks, or more bytes in a
  // list than its offsets can tell.
  absl::Status status() const;
  void FillHeader(TextHeader* header) const;
  void AppendSections(std::string* bytes) const;

 private:
  void AppendBlocks(const TermPostings& postings);
  void AppendEntry(Ordinal last_row, uint64_t postings, uint64_t positions);

  bool has_positions_;
  bool too_large_ = false;
  std::span<const uint32_t> lengths_;
  double average_length_ = 0;
  std::vector<Ordinal> last_rows_;
  std::vector<uint32_t> posting_offsets_;
  std::vector<uint32_t> position_offsets_;
  std::vector<ImpactSet> impacts_;
  std::vector<WeightRange> weights_;
  std::string postings_;
  std::string positions_;
};

}  // namespace sextant
