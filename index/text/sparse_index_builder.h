// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "index/text/sparse_index.h"

namespace sextant {

// Makes the bytes of a SparseIndex. Owned by one thread; 12 bytes of memory an
// entry.
class SparseIndexBuilder {
 public:
  // Rows in ascending order, each at most once; `entries` as NormalizeSparse
  // leaves them. Rows that are not added lack the field. kResourceExhausted
  // past 2^32 - 1 entries.
  absl::Status Add(Ordinal row, std::span<const SparseEntry> entries);

  // Ends the builder; `rows` is the number of rows of the segment.
  absl::StatusOr<std::string> Finish(uint32_t rows) &&;

 private:
  struct Posting {
    uint32_t index;
    Ordinal row;
    float weight;
  };
  std::vector<Posting> postings_;
};

struct SparseMergeSource {
  const SparseIndex* index = nullptr;
  // By row of the source: its row in the result, or kDroppedRow.
  std::span<const Ordinal> new_rows;
};

// One index of the rows of several; rules as MergeTextIndexes.
absl::StatusOr<std::string> MergeSparseIndexes(
    std::span<const SparseMergeSource> sources, uint32_t rows,
    const RequestContext& context);

}  // namespace sextant
