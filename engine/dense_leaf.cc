// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/find_correction.h"
#include "engine/leaf_search.h"
#include "engine/validate_query.h"
#include "ranking/score_list.h"

namespace sextant {
namespace {

class DenseLeaf final : public LeafSearch {
 public:
  DenseLeaf(const LeafContext& search, uint32_t listed, DensePlan plan,
            std::vector<float> query, std::optional<Correction> correction)
      : search_(search),
        listed_(listed),
        plan_(std::move(plan)),
        vector_(std::move(query)),
        correction_(std::move(correction)) {}

  std::string name() const override {
    return absl::StrCat("dense ", field().name);
  }

  absl::StatusOr<std::vector<Candidate>> Run(StageTiming* timing) override {
    ASSIGN_OR_RETURN(
        std::vector<Candidate> found,
        RunDense(*search_.target.snapshot,
                 {plan_, vector_, search_.context,
                  correction_.has_value() ? &*correction_ : nullptr},
                 search_.matches, timing));
    KeepBest(listed_, &found);
    return found;
  }

  absl::StatusOr<std::vector<double>> Score(
      std::span<const Candidate> points) override {
    const Snapshot& snapshot = *search_.target.snapshot;
    ASSIGN_OR_RETURN(
        std::vector<double> scores,
        ScoreDense(snapshot, {plan_, vector_, search_.context}, points));
    if (correction_.has_value() && correction_->rescorer() != nullptr) {
      return correction_->rescorer()->ScoresOf(snapshot, points, scores,
                                               search_.context);
    }
    for (size_t i = 0; correction_.has_value() && i < points.size(); ++i) {
      if (std::isfinite(scores[i])) {
        scores[i] -= static_cast<double>(correction_->Of(snapshot, points[i]));
      }
    }
    return scores;
  }

  std::string PlanText(absl::string_view indent) const override {
    std::string text = absl::StrCat(
        indent, name(), " ", MetricName(field().metric), " dimension ",
        field().dimension, " candidates ", plan_.candidates);
    if (plan_.recall_target != 0) {
      absl::StrAppendFormat(&text, " recall target %.4g", plan_.recall_target);
    }
    if (correction_.has_value()) {
      absl::StrAppend(&text, " ", correction_->ToString());
    }
    return absl::StrCat(text, "\n",
                        plan_.SegmentsText(absl::StrCat(indent, "  ")));
  }

  double expected_recall() const override { return plan_.expected_recall; }

 private:
  const VectorFieldSchema& field() const {
    return search_.target.schema->vector_fields[plan_.field];
  }

  const LeafContext search_;
  const uint32_t listed_;  // of what is found
  const DensePlan plan_;
  const std::vector<float> vector_;
  const std::optional<Correction> correction_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LeafSearch>> MakeDenseLeaf(
    const LeafContext& search, const DenseSource& source, uint32_t candidates,
    absl::string_view path) {
  const SearchTarget& target = search.target;
  const uint16_t field = VectorFieldOf(*target.schema, source);
  ASSIGN_OR_RETURN(std::vector<float> vector,
                   QueryVector(target, source, field, path, search.context));
  ASSIGN_OR_RETURN(
      std::optional<Correction> correction,
      FindCorrection(target, source, vector, path, search.context));
  const std::vector<Source>& sources = search.query.sources;
  const bool is_only =
      sources.size() == 1 && std::holds_alternative<DenseSource>(sources[0]);
  if (is_only && correction.has_value()) {
    RETURN_IF_ERROR(correction->CheckPage(search.query));
  }
  // A least score is that of the fused list: it does not bound this one.
  SearchQuery effort;
  effort.recall_target = search.query.recall_target;
  return std::make_unique<DenseLeaf>(
      search, candidates,
      PlanDense(source,
                {.field = field,
                 .candidates = correction.has_value()
                                   ? correction->CandidatesFor(candidates)
                                   : candidates,
                 .recall_target = RecallTarget(effort, source, target.defaults),
                 .corrected = correction.has_value()},
                target.defaults,
                FactsOf(*target.snapshot, field, search.matches)),
      std::move(vector), std::move(correction));
}

}  // namespace sextant
