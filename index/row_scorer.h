// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "index/distance.h"
#include "index/row_distances.h"
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
      : floats_(request.shape.metric, request.query, block.vectors),
        ordinals_(block.ordinals),
        bias_(request.bias),
        top_(top),
        work_(work) {}

  // Not when kRowsMax wait.
  void Add(uint32_t row) {
    // The kernel fetches the rows after its first ones itself.
    if (waiting_ < kBatchRows) {
      floats_.Prefetch(row);
    }
    __builtin_prefetch(ordinals_ + row);
    rows_[waiting_++] = row;
  }
  size_t waiting() const { return waiting_; }

  // Offers all that wait.
  void Score() {
    const std::span<const uint32_t> rows(rows_.data(), waiting_);
    std::array<float, kRowsMax> distances;
    floats_.Distances(rows, distances.data());
    work_.distances += rows.size();
    bias_.Correct(rows, -1, distances.data());
    OfferScores(rows, distances.data(), -1, ordinals_, top_);
    waiting_ = 0;
  }

 private:
  const FloatRows floats_;
  const Ordinal* const ordinals_;
  const RowBias bias_;
  TopK& top_;
  SearchWork& work_;
  std::array<uint32_t, kRowsMax> rows_;
  size_t waiting_ = 0;
};

}  // namespace sextant
