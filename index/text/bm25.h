// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "index/text/posting_list.h"

namespace sextant {

// ln(1 + (N - df + 0.5) / (df + 0.5)), Lucene's idf: never negative. df <= N.
inline double Bm25Idf(uint64_t rows, uint64_t df) {
  const auto n = static_cast<double>(rows);
  const auto d = static_cast<double>(df);
  return std::log1p((n - d + 0.5) / (d + 0.5));
}

// What one term adds to a score: weight * tf / (tf + k1 (1 - b + b length /
// average)), computed as weight / (1 + norm(length) / tf). Each step of that
// is monotone in float32 too, so the score of an upper bound of tf and a lower
// bound of length is an upper bound of the score, to the last bit.
//
// Never contracted to fused operations, which would round otherwise in one
// kernel than in another.
class Bm25Scorer {
 public:
  Bm25Scorer() = default;
  // `weight` includes the idf.
  Bm25Scorer(float weight, float k1, float b, double average_length)
      : weight_(weight), base_(k1 * (1 - b)) {
    if (average_length > 0) {
      slope_ = static_cast<float>(static_cast<double>(k1 * b) / average_length);
    }
  }

  float operator()(uint32_t tf, uint32_t length) const {
    // Both are at most 2^24, and signed integers are converted four at once.
    const float norm =
        base_ + slope_ * static_cast<float>(static_cast<int32_t>(length));
    return weight_ /
           (1.0F + norm / static_cast<float>(static_cast<int32_t>(tf)));
  }
  // A bound on what postings within `impacts` score.
  float Bound(const ImpactSet& impacts) const {
    float bound = 0;
    for (const Impact& impact : impacts) {
      bound = std::max(bound, Bound(impact));
    }
    return bound;
  }
  float Bound(Impact impact) const {
    return impact.tf == kAnyCount ? weight_ : (*this)(impact.tf, impact.length);
  }
  float weight() const { return weight_; }

  static constexpr uint16_t kAnyCount = 0xFFFF;

 private:
  float weight_ = 0;
  float base_ = 0;
  float slope_ = 0;
};

}  // namespace sextant
