// SPDX-License-Identifier: Apache-2.0
#include "ranking/fusion.h"

#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

FusionPart RankPart(const Fusion& fusion, const FusionInput& input,
                    const ScoreList& list) {
  FusionPart part{std::vector<double>(list.size()),
                  std::vector<double>(list.size())};
  double rank = 0;
  for (const uint32_t candidate : ListedBestFirst(list)) {
    rank += 1;
    part.values[candidate] = rank;
    part.shares[candidate] = input.weight / (fusion.rank_constant + rank);
  }
  return part;
}

// Of what a source lists alone.
ScoreList OnlyListed(const ScoreList& list) {
  ScoreList only = list;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list.listed[i]) {
      only.scores[i] = ScoreList::kUnknown;
    }
  }
  return only;
}

FusionPart LinearPart(const FusionInput& input, const ScoreList& list) {
  FusionPart part;
  part.values = Normalise(input.uses_true_scores ? list : OnlyListed(list),
                          input.normaliser, input.theoretical_minimum);
  part.shares = part.values;
  for (double& share : part.shares) {
    share *= input.weight;
  }
  return part;
}

absl::Status ValidateInput(const Fusion& fusion, const FusionInput& input,
                           absl::string_view path) {
  if (!(std::abs(input.weight) <= Fusion::kWeightMax)) {
    return InvalidField(absl::StrCat(path, ".weight"),
                        absl::StrCat("must be at most ", Fusion::kWeightMax));
  }
  if (!std::isfinite(input.theoretical_minimum)) {
    return InvalidField(absl::StrCat(path, ".theoretical_minimum"),
                        "must be finite");
  }
  if (input.weight >= 0) {
    return absl::OkStatus();
  }
  if (fusion.method == FusionMethod::kReciprocalRank) {
    return InvalidField(absl::StrCat(path, ".weight"),
                        absl::StrCat(input.weight,
                                     " is below 0; only a linear fusion takes "
                                     "that"));
  }
  if (!input.uses_true_scores) {
    return InvalidField(
        absl::StrCat(path, ".weight"),
        absl::StrCat(input.weight,
                     " is below 0; that needs the true scores of what the "
                     "source did not list"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateFusion(const Fusion& fusion) {
  if (!(fusion.rank_constant >= 0 &&
        fusion.rank_constant <= Fusion::kWeightMax)) {
    return InvalidField("fusion.rank_constant",
                        absl::StrCat("must be from 0 to ", Fusion::kWeightMax));
  }
  bool any_weight = false;
  for (size_t i = 0; i < fusion.inputs.size(); ++i) {
    RETURN_IF_ERROR(ValidateInput(fusion, fusion.inputs[i],
                                  absl::StrCat("sources[", i, "]")));
    any_weight = any_weight || fusion.inputs[i].weight != 0;
  }
  if (!any_weight) {
    return InvalidField("sources", "at least one weight must differ from 0");
  }
  return absl::OkStatus();
}

FusedScores Fuse(const Fusion& fusion, std::span<const ScoreList> lists) {
  CHECK(lists.size() == fusion.inputs.size());
  const size_t candidates = lists.empty() ? 0 : lists.front().size();
  FusedScores result;
  result.fused = ScoreList(candidates);
  result.fused.scores.assign(candidates, 0);
  for (size_t i = 0; i < lists.size(); ++i) {
    const ScoreList& list = lists[i];
    CHECK(list.size() == candidates);
    FusionPart part = fusion.method == FusionMethod::kReciprocalRank
                          ? RankPart(fusion, fusion.inputs[i], list)
                          : LinearPart(fusion.inputs[i], list);
    for (size_t c = 0; c < candidates; ++c) {
      result.fused.scores[c] += part.shares[c];
      result.fused.listed[c] = result.fused.listed[c] || list.listed[c];
    }
    result.parts.push_back(std::move(part));
  }
  return result;
}

}  // namespace sextant
