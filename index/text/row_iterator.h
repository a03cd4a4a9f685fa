// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"

#include "base/context.h"
#include "index/text/posting_list.h"
#include "index/text/row_sink.h"
#include "index/text/scored_postings.h"

namespace sextant {

// Walks the rows of a part that match some part of a query, upwards. Owned by
// one thread.
class RowIterator {
 public:
  virtual ~RowIterator() = default;

  // kEndRow after the last one.
  Ordinal row() const { return row_; }
  // To the first match at or after `target`; does not go back.
  virtual Ordinal Advance(Ordinal target) = 0;
  // Adds the scores of the leaves that match row(), in the order of the query.
  virtual void AddScore(float* score) = 0;
  // Adds what AddScore adds at most to any match in [from, *end], after
  // lowering *end as far as that needs; it stays >= from. Looks at no postings.
  // Leaf by leaf in the order of AddScore, so that rounding cannot lift a score
  // above its bound.
  virtual void AddBound(Ordinal from, Ordinal* end, float* bound) = 0;
  // Rows that score less need not be found any more. Only the root is told.
  virtual void SetWanted(float /*score*/) {}
  // About how many rows Advance() will stop at.
  virtual uint64_t cost() const = 0;

 protected:
  Ordinal row_ = 0;  // before the first Advance: unknown
};

using RowIteratorPtr = std::unique_ptr<RowIterator>;

// A term or a prefix. `postings` outlives it.
RowIteratorPtr MakeLeaf(ScoredPostings* postings);

// Every one of `parts`, in the order of the query.
RowIteratorPtr MakeConjunction(std::vector<RowIteratorPtr> parts);

// At least `minimum` of `parts`, in the order of the query; minimum >= 1.
RowIteratorPtr MakeDisjunction(std::vector<RowIteratorPtr> parts,
                               uint32_t minimum);

// `must`, and the score of `should` where it matches too.
RowIteratorPtr MakeOptional(RowIteratorPtr must, RowIteratorPtr should);

// `match` without the rows of `excluded`.
RowIteratorPtr MakeExclusion(RowIteratorPtr match, RowIteratorPtr excluded);

// No row.
RowIteratorPtr MakeNothing();

// Finds the best rows by any iterator.
absl::Status SearchRows(RowIterator& root, const RequestContext& context,
                        RowSink& sink);

}  // namespace sextant
