// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/status/status.h"

#include "index/text/posting_list.h"
#include "index/text/term_dictionary.h"

namespace sextant {

// Reads every list of a store once, in the order of its bytes: kDataLoss when
// one leads out of bounds, to rows that do not ascend or past `rows`, to a
// count above the length of its row, or is above its bound. After that, readers
// need no checks.
class PostingCheck {
 public:
  // `lengths`: of text; null for weights. Both outlive it.
  PostingCheck(const PostingStore& store, uint32_t rows,
               const TextLengths* lengths)
      : store_(store), rows_(rows), lengths_(lengths) {}

  absl::Status List(const TermDictionary::Extent& extent);
  // After the last list.
  absl::Status Finish() const;

 private:
  struct Part {
    uint32_t count = 0;
    const ImpactSet* impacts = nullptr;
    const WeightRange* weights = nullptr;
    uint64_t postings = 0;  // offsets into the store
    uint64_t posting_bytes = 0;
    uint64_t positions = 0;
    uint64_t position_bytes = 0;
  };

  absl::Status Blocks(const TermDictionary::Extent& extent);
  absl::Status Block(const Part& part, Ordinal before, Ordinal* last);
  absl::Status Counts(const Part& part, const Ordinal* rows);
  absl::Status Weights(const Part& part);

  const PostingStore& store_;
  uint32_t rows_;
  const TextLengths* lengths_;
  uint64_t block_ = 0;
  uint64_t posting_ = 0;
  uint64_t position_ = 0;
};

}  // namespace sextant
