// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"

#include "base/context.h"
#include "index/distance.h"
#include "index/row_bias.h"
#include "index/row_filter.h"
#include "index/top_k.h"
#include "index/vector_index.h"

namespace sextant {

// The gathered-rows kernel of a metric and the sign that turns its result into
// a score (bigger is better). The one place where distances become scores.
struct Scorer {
  explicit Scorer(Metric metric)
      : rows(metric == Metric::kL2 ? Kernels().squared_l2_rows
                                   : Kernels().inner_product_rows),
        sign(metric == Metric::kL2 ? -1.0F : 1.0F) {}

  decltype(DistanceKernels::inner_product_rows) rows;
  float sign;
};

// Consecutive rows of padded stride and their ordinals.
struct RowBlock {
  const float* vectors = nullptr;
  const Ordinal* ordinals = nullptr;
  uint32_t rows = 0;
};

// Offers rows by their distances, as a Scorer's kernel gave them. Most cannot
// enter the answer any more, and cost a comparison.
inline void OfferScores(std::span<const uint32_t> rows, const float* distances,
                        float sign, const Ordinal* ordinals, TopK& top) {
  float threshold = top.threshold();
  for (size_t i = 0; i < rows.size(); ++i) {
    const float score = sign * distances[i];
    if (!(score < threshold)) {
      top.Offer(score, ordinals[rows[i]]);
      threshold = top.threshold();
    }
  }
}

// What every scan and search needs to know of its request.
struct ScanRequest {
  VectorShape shape;
  std::span<const float> query;
  RowFilter filter;
  const RequestContext& context;
  RowBias bias = {};
};

// Offers every row of the block that the filter allows. Polls the context.
absl::Status ScanBlock(const ScanRequest& request, const RowBlock& block,
                       TopK& top, SearchWork& work);

// Offers these rows of the block, whatever the filter says. Polls the context.
absl::Status ScanRows(const ScanRequest& request, const RowBlock& block,
                      std::span<const uint32_t> rows, TopK& top,
                      SearchWork& work);

}  // namespace sextant
