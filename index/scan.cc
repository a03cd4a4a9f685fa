// SPDX-License-Identifier: Apache-2.0
#include "index/scan.h"

#include <algorithm>
#include <array>

#include "base/status_macros.h"

namespace sextant {

absl::Status ScanBlock(const ScanRequest& request, const RowBlock& block,
                       TopK& top, SearchWork& work) {
  // Rows between two polls of the context.
  constexpr uint32_t kStep = 512;
  const Scorer scorer(request.shape.metric);
  const size_t stride = PaddedStride(request.shape.dimension);
  std::array<uint32_t, kStep> live;
  std::array<float, kStep> distances;
  for (uint32_t begin = 0; begin < block.rows;) {
    RETURN_IF_ERROR(request.context.Check());
    const uint32_t end = begin + std::min(kStep, block.rows - begin);
    uint32_t count = 0;
    for (uint32_t row = begin; row < end; ++row) {
      live[count] = row;
      count += request.filter.Allows(row, block.ordinals) ? 1U : 0U;
    }
    scorer.rows(request.query.data(), block.vectors, stride,
                request.shape.dimension, {live.data(), count},
                distances.data());
    work.distances += count;
    float threshold = top.threshold();
    for (uint32_t i = 0; i < count; ++i) {
      const float score = scorer.sign * distances[i];
      if (!(score < threshold)) {
        top.Offer(score, block.ordinals[live[i]]);
        threshold = top.threshold();
      }
    }
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status ScanRows(const ScanRequest& request, const RowBlock& block,
                      std::span<const uint32_t> rows, TopK& top,
                      SearchWork& work) {
  constexpr size_t kStep = 512;
  const Scorer scorer(request.shape.metric);
  const size_t stride = PaddedStride(request.shape.dimension);
  std::array<float, kStep> distances;
  for (size_t begin = 0; begin < rows.size(); begin += kStep) {
    RETURN_IF_ERROR(request.context.Check());
    const auto step = rows.subspan(begin, std::min(kStep, rows.size() - begin));
    scorer.rows(request.query.data(), block.vectors, stride,
                request.shape.dimension, step, distances.data());
    work.distances += step.size();
    for (size_t i = 0; i < step.size(); ++i) {
      const float score = scorer.sign * distances[i];
      if (!(score < top.threshold())) {
        top.Offer(score, block.ordinals[step[i]]);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace sextant
