// SPDX-License-Identifier: Apache-2.0
#include "index/text/impacts.h"

#include <algorithm>
#include <cstddef>

#include "index/text/bm25.h"

namespace sextant {
namespace {

constexpr uint32_t kLargest = std::numeric_limits<uint16_t>::max();

Impact Clamped(uint32_t tf, uint32_t length) {
  // Both err on the side of a higher score.
  return {static_cast<uint16_t>(std::min(tf, kLargest)),
          static_cast<uint16_t>(std::min(length, kLargest))};
}

}  // namespace

void ImpactCollector::Merge(const ImpactCollector& other) {
  for (size_t i = 0; i < shortest_.size(); ++i) {
    shortest_[i] = std::min(shortest_[i], other.shortest_[i]);
  }
  largest_ = std::max(largest_, other.largest_);
}

ImpactSet ImpactCollector::Finish(double average_length) const {
  std::array<Impact, kCounts + 1> front{};  // descending in both
  size_t size = 0;
  uint32_t shortest = kNone;
  for (uint32_t tf = kCounts; tf > 0; --tf) {
    if (shortest_[tf] < shortest) {
      shortest = shortest_[tf];
      front[size++] = Clamped(tf == kCounts ? largest_ : tf, shortest);
    }
  }
  const Bm25Scorer scorer(1, 1.2F, 0.75F, average_length);
  const auto loss = [&](size_t i) {
    const Impact joined = {front[i].tf, front[i + 1].length};
    return scorer.Bound(joined) -
           std::max(scorer.Bound(front[i]), scorer.Bound(front[i + 1]));
  };
  while (size > kImpacts) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < size; ++i) {
      best = loss(i) < loss(best) ? i : best;
    }
    front[best].length = front[best + 1].length;
    for (size_t i = best + 1; i + 1 < size; ++i) {
      front[i] = front[i + 1];
    }
    --size;
  }
  ImpactSet impacts{};
  for (size_t i = 0; i < kImpacts; ++i) {
    impacts[i] = front[std::min(i, size - 1)];
  }
  return impacts;
}

}  // namespace sextant
