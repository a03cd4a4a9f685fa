// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/row_scorer.h"
#include "index/top_k.h"

namespace sextant {

// Of all estimates of distances that a scan makes, those whose rows may be
// among the best k: of k rows that are estimated at d or less the farthest is
// hardly farther than d, so a row of the answer is hardly estimated beyond d +
// error.
//
// One per thread, reused: memory follows the most that were kept at a time.
class NearestEstimates {
 public:
  struct Estimate {
    float distance = 0;
    uint32_t place = 0;  // whatever names the row
  };

  // `error` is how far an estimate may be from the distance.
  void Start(size_t k, float error) {
    k_ = std::max<size_t>(1, k);
    error_ = error;
    bound_ = std::numeric_limits<float>::infinity();
    narrow_at_ = std::max(kNarrowAt, kNarrowAtK * k_);
    kept_.clear();
  }

  // An estimate at this distance or farther need not be kept.
  float bound() const { return bound_; }

  // `fill(place)` writes at most `most` estimates from `place` on and returns
  // where it stopped, so that keeping one is a store and an addition.
  template <typename Fill>
  void Keep(size_t most, Fill fill) {
    const size_t before = kept_.size();
    kept_.resize(before + most);
    Estimate* const stop = fill(kept_.data() + before);
    kept_.resize(static_cast<size_t>(stop - kept_.data()));
    if (kept_.size() >= narrow_at_) {
      Narrow();
    }
  }

  // Scores what was kept with the floats, nearest first, until what follows
  // cannot be among the best. `row_of(place)` is the row.
  template <typename RowOf>
  void Score(const TopK& top, RowScorer& scorer, RowOf row_of) {
    // Rows scored at a time: the next ones may not be needed.
    constexpr size_t kChunk = 8;
    Narrow();
    std::sort(kept_.begin(), kept_.end(), Nearer);
    for (const Estimate& estimate : kept_) {
      if (scorer.waiting() == 0 &&
          -estimate.distance + error_ < top.threshold()) {
        break;
      }
      scorer.Add(row_of(estimate.place));
      if (scorer.waiting() == kChunk) {
        scorer.Score();
      }
    }
    scorer.Score();
  }

 private:
  // Fewer than this, or than some times k, are not worth sorting out.
  static constexpr size_t kNarrowAt = 128;
  static constexpr size_t kNarrowAtK = 4;

  static bool Nearer(const Estimate& a, const Estimate& b) {
    return a.distance < b.distance;
  }

  void Narrow() {
    if (kept_.size() > k_) {
      std::nth_element(kept_.begin(),
                       kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1),
                       kept_.end(), Nearer);
      bound_ = std::min(bound_, kept_[k_ - 1].distance + error_);
      kept_.erase(std::remove_if(kept_.begin(), kept_.end(),
                                 [this](const Estimate& estimate) {
                                   return !(estimate.distance < bound_);
                                 }),
                  kept_.end());
    }
    narrow_at_ = std::max(narrow_at_, 2 * kept_.size());
  }

  size_t k_ = 1;
  float error_ = 0;
  float bound_ = 0;
  size_t narrow_at_ = 0;
  std::vector<Estimate> kept_;
};

}  // namespace sextant
