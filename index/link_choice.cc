// SPDX-License-Identifier: Apache-2.0
#include "index/link_choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "index/row_distances.h"

namespace sextant {

LinkChoice::LinkChoice(VectorShape shape, const float* vectors)
    : shape_(shape),
      stride_(PaddedStride(shape.dimension)),
      vectors_(vectors) {}

void LinkChoice::Distances(uint32_t node, std::span<const uint32_t> others,
                           float* out) const {
  FloatRows(shape_.metric, {vectors_ + node * stride_, shape_.dimension},
            vectors_)
      .Distances(others, out);
  for (size_t i = 0; i < others.size(); ++i) {
    if (std::isnan(out[i])) {
      out[i] = std::numeric_limits<float>::infinity();
    }
  }
}

void LinkChoice::Choose(std::span<const BeamNode> candidates, uint32_t count,
                        std::vector<uint32_t>& chosen) const {
  chosen.clear();
  const bool take_all = candidates.size() < count;
  for (const BeamNode& candidate : candidates) {
    if (chosen.size() == count) {
      return;
    }
    if (take_all || !IsShadowed(candidate, chosen)) {
      chosen.push_back(candidate.node);
    }
  }
}

bool LinkChoice::IsShadowed(BeamNode candidate,
                            std::span<const uint32_t> chosen) const {
  std::array<float, kBatchRows> distances;
  while (!chosen.empty()) {
    const auto step = chosen.first(std::min(kBatchRows, chosen.size()));
    Distances(candidate.node, step, distances.data());
    for (size_t i = 0; i < step.size(); ++i) {
      if (distances[i] < candidate.distance) {
        return true;
      }
    }
    chosen = chosen.subspan(step.size());
  }
  return false;
}

}  // namespace sextant
