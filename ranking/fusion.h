// SPDX-License-Identifier: Apache-2.0
//
// Makes one list of scores out of several: reciprocal rank fusion and weighted
// sums. A fused list is a list like any other, so fusions nest.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "ranking/fusion_normaliser.h"
#include "ranking/score_list.h"

namespace sextant {

enum class FusionMethod : uint8_t {
  // Sum over the lists of weight / (rank_constant + rank), rank from 1, and 0
  // where a candidate is not listed: Cormack, Clarke and Buettcher, "Reciprocal
  // Rank Fusion outperforms Condorcet and individual Rank Learning Methods",
  // SIGIR 2009. Depends on the better ones of each list alone. How long the
  // lists are decides who is listed.
  kReciprocalRank,
  // Sum over the lists of weight * normalised score. See FusionNormaliser for
  // what
  // that depends on.
  kLinear,
};

// How one of the lists goes into a fusion.
struct FusionInput {
  // -1e6 to 1e6. May be below 0 under kLinear when `uses_true_scores`, to push
  // down what is near to something; nowhere else, since it would be better not
  // to be found at all then.
  double weight = 1;
  // The rest is for kLinear.
  FusionNormaliser normaliser = FusionNormaliser::kMinMax;
  // Of kTheoreticalMinimum; finite.
  double theoretical_minimum = 0;
  // A candidate that the source did not list counts by its true score, if that
  // is known; else as unknown.
  bool uses_true_scores = true;
};

struct Fusion {
  static constexpr double kRankConstant = 60;
  static constexpr double kWeightMax = 1e6;

  FusionMethod method = FusionMethod::kReciprocalRank;
  double rank_constant = kRankConstant;  // 0 to 1e6
  std::vector<FusionInput> inputs;
};

// InvalidField with paths like "fusion.rank_constant" and "sources[1].weight"
// when a number is out of its range or no weight differs from 0.
absl::Status ValidateFusion(const Fusion& fusion);

// What one list gave to a fused one, by candidate.
struct FusionPart {
  // kReciprocalRank: the rank from 1, 0 = not listed. kLinear: the normalised
  // value.
  std::vector<double> values;
  // What was added up.
  std::vector<double> shares;
};

struct FusedScores {
  // Listed: by any of the lists. Scores: known for all candidates.
  ScoreList fused;
  std::vector<FusionPart> parts;  // by list
};

// Pure. `fusion` is valid and has an input for each of `lists`, which are of
// one length. O(n log n) for the ranks, else O(n), per list.
FusedScores Fuse(const Fusion& fusion, std::span<const ScoreList> lists);

}  // namespace sextant
