// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/metric.h"

namespace sextant {

// A candidate of one segment.
struct ScoredRow {
  float score = 0;
  Ordinal row = 0;
};

// Which of two rows of equal score comes first. Null where the ordinals
// themselves are in id order (sealed segments).
class RowOrder {
 public:
  virtual ~RowOrder() = default;
  virtual bool Before(Ordinal a, Ordinal b) const = 0;
};

// The best k rows seen, by score descending, then RowOrder: the same rows come
// out whatever order they went in.
//
// Owned by one thread. Memory grows with the rows offered, up to k entries; k
// itself allocates nothing.
class TopK {
 public:
  explicit TopK(size_t k, const RowOrder* order = nullptr);

  void Offer(float score, Ordinal row);
  // A row with a lower score cannot enter any more. -infinity until k are held.
  float threshold() const;
  size_t size() const;
  size_t k() const { return k_; }
  // Of equal scores the lower ordinal comes first.
  bool is_by_row() const { return order_ == nullptr; }
  // Best first; leaves the collector empty.
  std::vector<ScoredRow> TakeSorted();

 private:
  size_t k_;
  const RowOrder* order_;
  std::vector<ScoredRow> heap_;  // worst on top
};

}  // namespace sextant
