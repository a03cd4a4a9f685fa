// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "index/distance.h"
#include "index/scan.h"
#include "index/top_k.h"
#include "index/vector_index.h"

namespace sextant {

// Scores rows of floats that a search names one by one, some at a time, and
// offers them. A view, for one search.
class RowScorer {
 public:
  static constexpr size_t kRowsMax = 48;  // that may wait

  RowScorer(const ScanRequest& request, const RowBlock& block, TopK& top,
            SearchWork& work)
      : query_(request.query.data()),
        dimension_(request.shape.dimension),
        stride_(PaddedStride(dimension_)),
        prefetch_floats_(std::min(kPrefetchFloats, dimension_)),
        scorer_(request.shape.metric),
        block_(block),
        top_(top),
        work_(work) {}

  // Not when kRowsMax wait.
  void Add(uint32_t row) {
    // The kernel fetches the rows after its first ones itself.
    if (waiting_ < kBatchRows) {
      const float* const vector = block_.vectors + row * stride_;
      for (size_t i = 0; i < prefetch_floats_; i += kLineFloats) {
        __builtin_prefetch(vector + i);
      }
    }
    rows_[waiting_++] = row;
  }
  size_t waiting() const { return waiting_; }

  // Offers all that wait.
  void Score() {
    std::array<float, kRowsMax> distances;
    scorer_.rows(query_, block_.vectors, stride_, dimension_,
                 {rows_.data(), waiting_}, distances.data());
    work_.distances += waiting_;
    float threshold = top_.threshold();
    for (size_t i = 0; i < waiting_; ++i) {
      const float score = scorer_.sign * distances[i];
      if (!(score < threshold)) {
        top_.Offer(score, block_.ordinals[rows_[i]]);
        threshold = top_.threshold();
      }
    }
    waiting_ = 0;
  }

 private:
  const float* const query_;
  const size_t dimension_;
  const size_t stride_;
  const size_t prefetch_floats_;
  const Scorer scorer_;
  const RowBlock block_;
  TopK& top_;
  SearchWork& work_;
  std::array<uint32_t, kRowsMax> rows_;
  size_t waiting_ = 0;
};

}  // namespace sextant
