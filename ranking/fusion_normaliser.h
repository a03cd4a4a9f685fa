// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

#include "ranking/score_list.h"

namespace sextant {

// How the scores of one source are brought to a scale that can be added to
// others. `min`, `max`, mean `m` and standard deviation `d` are those of the
// listed scores; `d` is the sample deviation (divided by n - 1).
//
// Whether the value of a candidate depends on others:
// kNone: no. kTheoreticalMinimum: on the best score of the list alone, which is
// the same however long the list is. The others: on the whole list, so on its
// length too; but never on which page of the answer is asked for.
enum class FusionNormaliser : uint8_t {
  kNone,  // s
  // (s - min) / (max - min), Weaviate's relative score fusion. A list of equal
  // scores: 1. The last one listed always gets 0 and the first 1, however good
  // they are.
  kMinMax,
  // (s - m) / d. A list of equal scores: 0.
  kZScore,
  // (s - (m - 3d)) / 6d, not clamped: Qdrant's distribution-based score fusion.
  // The z-score on another scale. A list of equal scores: 0.5.
  kDbsf,
  // (s - t) / (max - t), where t is the least score that the source can give:
  // Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid
  // Retrieval", TOIS 2023 (TM2C2). 0 when max <= t.
  kTheoreticalMinimum,
};

// "none", "min_max", "z_score", "dbsf", "theoretical_minimum".
absl::string_view FusionNormaliserName(FusionNormaliser normaliser);

// The normalised values, by candidate.
//
// A true score of a candidate that is not listed goes through the same formula,
// so that it keeps its distance to the others: under kMinMax it is below 0. A
// list of equal scores has no scale for what lies below: that gets the value of
// an unknown score.
// Unknown scores get what nothing at all is worth: 0, and -3 under kZScore (the
// same place as 0 under kDbsf).
//
// `theoretical_minimum` is used by kTheoreticalMinimum alone, finite.
std::vector<double> Normalise(const ScoreList& list,
                              FusionNormaliser normaliser,
                              double theoretical_minimum = 0);

}  // namespace sextant
