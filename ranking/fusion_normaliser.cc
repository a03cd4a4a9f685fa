// SPDX-License-Identifier: Apache-2.0
#include "ranking/fusion_normaliser.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sextant {
namespace {

// A line through the scores: value = (score - origin) / scale. Without a scale,
// `flat` is the value of scores that reach `origin`, `unknown` of all others.
struct Line {
  double origin = 0;
  double scale = 0;
  double flat = 0;
  double unknown = 0;

  double At(double score) const {
    if (std::isnan(score)) {
      return unknown;
    }
    if (scale > 0) {
      return (score - origin) / scale;
    }
    return score >= origin ? flat : unknown;
  }
};

// Of the listed scores.
struct Extremes {
  double min = 0;
  double max = 0;
  bool is_empty = true;
};

Extremes FindExtremes(const ScoreList& list) {
  Extremes found;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list.listed[i]) {
      continue;
    }
    const double score = list.scores[i];
    found.min = found.is_empty ? score : std::min(found.min, score);
    found.max = found.is_empty ? score : std::max(found.max, score);
    found.is_empty = false;
  }
  return found;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

// Two passes: what is left of large equal numbers must be 0.
Moments FindMoments(const ScoreList& list, const Extremes& extremes) {
  double sum = 0;
  double count = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list.listed[i]) {
      sum += list.scores[i];
      count += 1;
    }
  }
  Moments found;
  if (count == 0) {
    return found;
  }
  // The sum of equal numbers divided by their count need not be that number.
  found.mean = extremes.min == extremes.max ? extremes.min : sum / count;
  double squares = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list.listed[i]) {
      const double off = list.scores[i] - found.mean;
      squares += off * off;
    }
  }
  found.deviation = count > 1 ? std::sqrt(squares / (count - 1)) : 0;
  return found;
}

Line FindLine(const ScoreList& list, FusionNormaliser normaliser,
              double theoretical_minimum) {
  constexpr double kDeviations = 3;
  const Extremes extremes = FindExtremes(list);
  switch (normaliser) {
    case FusionNormaliser::kMinMax:
      return {.origin = extremes.min,
              .scale = extremes.max - extremes.min,
              .flat = 1};
    case FusionNormaliser::kZScore: {
      const Moments moments = FindMoments(list, extremes);
      return {.origin = moments.mean,
              .scale = moments.deviation,
              .flat = 0,
              .unknown = -kDeviations};
    }
    case FusionNormaliser::kDbsf: {
      const Moments moments = FindMoments(list, extremes);
      if (moments.deviation == 0) {
        return {.origin = moments.mean, .flat = 0.5};
      }
      return {.origin = moments.mean - kDeviations * moments.deviation,
              .scale = 2 * kDeviations * moments.deviation};
    }
    case FusionNormaliser::kTheoreticalMinimum:
      return {
          .origin = theoretical_minimum,
          .scale = extremes.is_empty ? 0 : extremes.max - theoretical_minimum};
    case FusionNormaliser::kNone:
      break;
  }
  return {.scale = 1};
}

}  // namespace

absl::string_view FusionNormaliserName(FusionNormaliser normaliser) {
  switch (normaliser) {
    case FusionNormaliser::kNone:
      return "none";
    case FusionNormaliser::kMinMax:
      return "min_max";
    case FusionNormaliser::kZScore:
      return "z_score";
    case FusionNormaliser::kDbsf:
      return "dbsf";
    case FusionNormaliser::kTheoreticalMinimum:
      return "theoretical_minimum";
  }
  return "";
}

std::vector<double> Normalise(const ScoreList& list,
                              FusionNormaliser normaliser,
                              double theoretical_minimum) {
  const Line line = FindLine(list, normaliser, theoretical_minimum);
  std::vector<double> values(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    values[i] = line.At(list.scores[i]);
  }
  return values;
}

}  // namespace sextant
