// SPDX-License-Identifier: Apache-2.0
#include "engine/cut_off_stage.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sextant {
namespace {

struct Cut {
  size_t kept = 0;
  std::optional<double> least_score;
  std::string why;
};

Cut CutBelow(double least_score, const std::vector<Candidate>& candidates,
             std::string rule) {
  const auto end = std::partition_point(
      candidates.begin(), candidates.end(), [least_score](const Candidate& c) {
        return static_cast<double>(c.score) >= least_score;
      });
  Cut cut{static_cast<size_t>(end - candidates.begin()), std::nullopt,
          std::move(rule)};
  if (std::isfinite(least_score)) {
    cut.least_score = least_score;
  }
  return cut;
}

Cut CutByGap(const ScoreGap& rule, const std::vector<Candidate>& candidates) {
  std::vector<float> scores;
  for (const Candidate& candidate : candidates) {
    scores.push_back(candidate.score);
  }
  const GapCut cut = CutAtGap(scores, rule);
  Cut made{cut.kept, std::nullopt, "score gap"};
  if (rule.min_gap.has_value()) {
    absl::StrAppendFormat(&made.why, ", at least %.6g", *rule.min_gap);
  }
  if (rule.min_ratio.has_value()) {
    absl::StrAppendFormat(&made.why, ", at least %.6g mean gaps",
                          *rule.min_ratio);
  }
  if (cut.gap.has_value()) {
    made.least_score = static_cast<double>(candidates[cut.kept - 1].score);
    absl::StrAppendFormat(&made.why, ": %.6g below score %.9g", *cut.gap,
                          *made.least_score);
  } else {
    absl::StrAppend(&made.why, ": none among ",
                    std::min<size_t>(rule.looked_at(), candidates.size()),
                    " points");
  }
  return made;
}

}  // namespace

uint32_t RankedForCutOff(const SearchQuery& query, uint32_t page_end) {
  const ScoreGap* const gap = query.cut_off.has_value()
                                  ? std::get_if<ScoreGap>(&*query.cut_off)
                                  : nullptr;
  return gap == nullptr ? page_end : std::max(page_end, gap->looked_at());
}

CutOffOutcome ApplyCutOff(const SearchQuery& query,
                          const std::optional<BoundAdapter>& adapter,
                          std::vector<Candidate>* candidates) {
  Cut cut;
  if (const auto* min = std::get_if<MinScore>(&*query.cut_off)) {
    cut = CutBelow(min->score, *candidates,
                   absl::StrFormat("min score %.9g", min->score));
  } else if (adapter.has_value()) {
    cut = CutBelow(adapter->least_cosine, *candidates,
                   absl::StrFormat("%s: min score %.9g", adapter->text,
                                   adapter->least_cosine));
  } else {
    cut = CutByGap(std::get<ScoreGap>(*query.cut_off), *candidates);
  }
  CutOffOutcome outcome;
  outcome.candidates = candidates->size();
  outcome.kept = cut.kept;
  outcome.least_score = cut.least_score;
  if (!candidates->empty()) {
    outcome.best_score = candidates->front().score;
  }
  outcome.nothing_relevant = cut.kept == 0 && !candidates->empty();
  outcome.why = absl::StrCat(cut.why, ", kept ", cut.kept, " of ",
                             candidates->size(), " candidates");
  if (outcome.nothing_relevant) {
    absl::StrAppendFormat(&outcome.why, ", nothing relevant: best score %.9g",
                          *outcome.best_score);
  }
  candidates->resize(cut.kept);
  return outcome;
}

}  // namespace sextant
