// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace sextant {

// When a search may stop before its beam is spent: a node at distance d is of
// use only while d <= d_k + margin + (factor - 1) * (d_k + origin), where d_k
// is the distance of the k-th nearest live node (distance adaptive beam search,
// arXiv 2505.15636). Easy queries end early, hard ones get the whole beam.
// Of distances with a bias, the k-th's without it is multiplied.
struct StopRule {
  static constexpr float kNever = std::numeric_limits<float>::infinity();

  float factor = kNever;
  float origin = 0;  // where distances begin, sign turned: 1 for -cosine
  float margin = 0;  // what a distance may be wrong by
  uint32_t k = 1;
  const float* bias = nullptr;  // by node; null: none
  // A node farther than this is no answer: with k live nodes found, the search
  // ends behind it as it does behind the k-th. Not with a bias.
  float useful = kNever;

  bool is_set() const { return factor < kNever; }
  // Codes may err below the origin.
  float Limit(float kth, uint32_t node) const {
    const float own = bias == nullptr ? kth : kth - bias[node];
    return kth + margin + (factor - 1) * std::max(0.0F, own + origin);
  }
  float UsefulLimit() const {
    return is_set() && bias == nullptr && useful < kNever ? Limit(useful, 0)
                                                          : kNever;
  }
};

}  // namespace sextant
