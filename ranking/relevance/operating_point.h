// SPDX-License-Identifier: Apache-2.0
//
// Thresholds by what they are to reach on labelled pairs.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sextant {

struct LabelledScore {
  double score = 0;
  bool relevant = false;
};

// Pairs with this score or more are kept.
struct OperatingPoint {
  double threshold = 0;
  double recall = 0;     // share of the relevant that is kept
  double precision = 0;  // share of the kept that is relevant
  uint64_t kept = 0;
};

// The pairs of labelled queries, all in one list: one threshold for all.
class PrecisionRecallCurve {
 public:
  explicit PrecisionRecallCurve(std::vector<LabelledScore> pairs);

  uint64_t relevant() const { return relevant_; }
  // What a threshold keeps.
  OperatingPoint At(double threshold) const;
  // The highest threshold that keeps `recall` (above 0, at most 1) of the
  // relevant pairs or more, in the middle between two scores; nothing without
  // a relevant pair.
  std::optional<OperatingPoint> ForRecall(double recall) const;
  // The one that keeps most relevant pairs of those with `precision` or more.
  std::optional<OperatingPoint> ForPrecision(double precision) const;
  // Area under the curve: the mean of the precision at each relevant pair,
  // equal scores together (average precision).
  double AveragePrecision() const;

 private:
  // Up to and with all pairs of one score.
  struct Step {
    double score = 0;
    uint64_t kept = 0;
    uint64_t relevant = 0;
  };

  OperatingPoint PointOf(size_t step) const;

  std::vector<Step> steps_;  // by descending score
  uint64_t relevant_ = 0;
};

}  // namespace sextant
