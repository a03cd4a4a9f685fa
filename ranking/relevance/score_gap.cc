// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/score_gap.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "base/errors.h"

namespace sextant {

absl::Status ValidateScoreGap(const ScoreGap& rule) {
  if (rule.candidates == 1 || rule.candidates > ScoreGap::kCandidatesMax) {
    return InvalidField(
        "candidates",
        absl::StrCat("must be 2 to ", ScoreGap::kCandidatesMax, ", or 0 for ",
                     ScoreGap::kCandidates, ", got ", rule.candidates));
  }
  if (rule.min_gap.has_value() &&
      !(std::isfinite(*rule.min_gap) && *rule.min_gap > 0)) {
    return InvalidField("min_gap", absl::StrCat("must be above 0 and finite, "
                                                "got ",
                                                *rule.min_gap));
  }
  if (rule.min_ratio.has_value() &&
      !(*rule.min_ratio >= 1 && *rule.min_ratio <= ScoreGap::kRatioMax)) {
    return InvalidField("min_ratio",
                        absl::StrCat("must be 1 to ", ScoreGap::kRatioMax,
                                     ", got ", *rule.min_ratio));
  }
  return absl::OkStatus();
}

GapCut CutAtGap(std::span<const float> scores, const ScoreGap& rule) {
  const size_t n = std::min<size_t>(scores.size(), rule.looked_at());
  GapCut cut;
  cut.kept = rule.empty_without_gap ? 0 : scores.size();
  if (n < 2) {
    return cut;
  }
  const auto at = [scores](size_t i) { return static_cast<double>(scores[i]); };
  const bool is_first = rule.min_gap.has_value() || rule.min_ratio.has_value();
  const double mean = (at(0) - at(n - 1)) / static_cast<double>(n - 1);
  const double least =
      std::max(rule.min_gap.value_or(0), rule.min_ratio.value_or(0) * mean);
  for (size_t i = 0; i + 1 < n; ++i) {
    const double gap = at(i) - at(i + 1);
    if (gap <= 0 || gap < least || gap <= cut.gap.value_or(0)) {
      continue;
    }
    cut = {i + 1, gap};
    if (is_first) {
      break;
    }
  }
  return cut;
}

}  // namespace sextant
