// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cmath>
#include <limits>

#include "index/metric.h"
#include "index/row_filter.h"
#include "index/top_k.h"

namespace sextant {

// Where a search of one part puts what it finds, in ascending order of rows,
// and what tells it which scores are still worth finding. Owned by one thread.
class RowSink {
 public:
  // Rows of the part count from `first_row` of the segment. Without `prune`
  // every score is wanted.
  RowSink(const RowFilter& filter, Ordinal first_row, bool prune, TopK& top)
      : filter_(filter), first_row_(first_row), prune_(prune), top_(top) {
    UpdateWanted();
  }

  bool Allows(Ordinal row) const {
    return all_ || filter_.Allows(first_row_ + row);
  }
  // A row with a lower score cannot enter any more.
  float wanted() const { return wanted_; }
  void Offer(float score, Ordinal row) {
    if (score >= wanted_) {
      top_.Offer(score, first_row_ + row);
      UpdateWanted();
    }
  }

 private:
  void UpdateWanted() {
    if (prune_) {
      const float threshold = top_.threshold();
      // Where ordinals decide between equal scores, those found are lower.
      wanted_ = top_.is_by_row()
                    ? std::nextafter(threshold,
                                     std::numeric_limits<float>::infinity())
                    : threshold;
    }
  }

  const RowFilter& filter_;
  Ordinal first_row_;
  bool prune_;
  bool all_ = filter_.is_all();
  TopK& top_;
  float wanted_ = -std::numeric_limits<float>::infinity();
};

}  // namespace sextant
