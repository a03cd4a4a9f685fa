// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "index/row_filter.h"
#include "index/text/sparse_index.h"
#include "index/top_k.h"

namespace sextant {

class SparseTail;

// Consecutive ordinals of a segment with one sparse field; a sealed segment is
// one part. Immutable, thread-safe; shares what it refers to.
struct SparsePart {
  Ordinal first_row = 0;
  uint32_t rows = 0;
  std::shared_ptr<const SparseIndex> index;  // null where `tail` has the rows
  std::shared_ptr<const SparseTail> tail;
};
using SparseParts = std::vector<SparsePart>;  // ascending, without gaps

// The parts of a sealed segment.
SparseParts SealedSparseParts(std::shared_ptr<const SparseIndex> index);
// The same rows with an index where a part has a tail: what MergeSparseIndexes
// takes.
absl::StatusOr<SparseParts> FreezeSparseParts(SparseParts parts);

// One sparse field of the growing segment, as GrowingText: one writer, readers
// by views.
class GrowingSparse {
 public:
  GrowingSparse();
  ~GrowingSparse();

  // The next row; `entries` as NormalizeSparse leaves them, empty where the row
  // lacks the field.
  absl::Status Append(std::span<const SparseEntry> entries);

  uint32_t rows() const;        // writer only
  uint64_t size_bytes() const;  // writer only
  SparseParts View() const;     // writer only; cheap

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

struct SparseSearchOptions {
  bool prune = true;  // off: every match is scored; the results are the same
};

// Offers the rows that share an index with `query` (as NormalizeSparse leaves
// it) and that `filter` allows, with their inner product: products in float32,
// summed in the order of indexes, in every plan. Negative weights, of rows and
// of the query, count as they are; results are exact.
absl::Status SearchSparse(const SparseParts& parts,
                          std::span<const SparseEntry> query,
                          const RowFilter& filter,
                          const SparseSearchOptions& options,
                          const RequestContext& context, TopK& top);

// The inner product with each of `rows` (distinct, in any order); 0 where no
// index is shared.
absl::StatusOr<std::vector<float>> ScoreSparse(
    const SparseParts& parts, std::span<const SparseEntry> query,
    std::span<const Ordinal> rows, const RequestContext& context);

// An index that a row shares with a query, and what it gives.
struct SparseProduct {
  uint32_t index = 0;
  float query_weight = 0;
  float weight = 0;  // of the row
  float score = 0;   // their product
};

// What the score of a row is the sum of, in the order of indexes.
absl::StatusOr<std::vector<SparseProduct>> ExplainSparse(
    const SparseParts& parts, std::span<const SparseEntry> query, Ordinal row,
    const RequestContext& context);

}  // namespace sextant
