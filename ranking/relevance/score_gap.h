// SPDX-License-Identifier: Apache-2.0
//
// A cut where scores fall.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"

namespace sextant {

// Of n scores in descending order s_1 >= ... >= s_n the gaps are
//
//   g_i = s_i - s_(i+1),   mean gap (s_1 - s_n) / (n - 1)
//
// and the list ends after s_i, where g_i is the first gap that is at least
// min_gap and at least min_ratio mean gaps; without either the largest gap,
// the first of equal ones. (The largest gap is how the "eigengap" of spectral
// clustering chooses a number of clusters, von Luxburg 2007, section 8.3; a
// ratio to the mean gap does not change when scores are moved or scaled.)
struct ScoreGap {
  static constexpr uint32_t kCandidates = 100;
  static constexpr uint32_t kCandidatesMax = 1000;
  static constexpr double kRatioMax = 1000;

  // The best n that are looked at, 2 to kCandidatesMax; 0: kCandidates. A gap
  // further down cuts nothing.
  uint32_t candidates = 0;
  std::optional<double> min_gap;    // above 0
  std::optional<double> min_ratio;  // 1 to kRatioMax
  // Without such a gap nothing stands out, and nothing stays; else all does.
  bool empty_without_gap = false;

  uint32_t looked_at() const {
    return candidates == 0 ? kCandidates : candidates;
  }
};

// InvalidField with paths like "min_gap".
absl::Status ValidateScoreGap(const ScoreGap& rule);

struct GapCut {
  size_t kept = 0;  // of all scores
  // The gap that it was cut at; unset: there was none that counts.
  std::optional<double> gap;
};

// `scores` descend and are finite. Equal scores are never separated.
GapCut CutAtGap(std::span<const float> scores, const ScoreGap& rule);

}  // namespace sextant
