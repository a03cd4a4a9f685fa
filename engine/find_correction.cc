// SPDX-License-Identifier: Apache-2.0
#include "engine/find_correction.h"

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "engine/dense_search.h"
#include "engine/plan.h"
#include "engine/validate_query.h"

namespace sextant {
namespace {

// Of the search for the nearest point. It decides how all others are ranked,
// and one point is found more surely than ten.
constexpr double kGateRecall = 0.99;

absl::StatusOr<std::optional<Candidate>> NearestByRawScore(
    const SearchTarget& target, const DenseSource& source,
    std::span<const float> vector, const RequestContext& context) {
  const uint16_t field = VectorFieldOf(*target.schema, source);
  const auto* const own = std::get_if<PointId>(&source.target);
  const DensePlan plan =
      PlanDense(source,
                {.field = field,
                 .candidates = own == nullptr ? 1U : 2U,
                 .recall_target = source.exact    ? 1
                                  : source.ef > 0 ? 0
                                                  : kGateRecall},
                target.defaults, FactsOf(*target.snapshot, field, Matches()));
  StageTiming timing;
  ASSIGN_OR_RETURN(
      const std::vector<Candidate> found,
      RunDense(*target.snapshot, {plan, vector, context}, Matches(), &timing));
  const std::string own_id = own == nullptr ? "" : EncodeId(*own);
  for (const Candidate& candidate : found) {
    if (own == nullptr || candidate.id != own_id) {
      return std::optional<Candidate>(candidate);
    }
  }
  return std::optional<Candidate>();
}

}  // namespace

absl::StatusOr<std::optional<Correction>> FindCorrection(
    const SearchTarget& target, const DenseSource& source,
    std::span<const float> vector, absl::string_view path,
    const RequestContext& context) {
  if (target.normalizers == nullptr) {
    return std::optional<Correction>();
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const Normalizer> normalizer,
                   target.normalizers->Resolve(
                       source.normalizer, VectorFieldOf(*target.schema, source),
                       absl::StrCat(path, ".normalizer")));
  if (normalizer == nullptr) {
    return std::optional<Correction>();
  }
  if (normalizer->rescores()) {
    const auto* const own = std::get_if<PointId>(&source.target);
    ASSIGN_OR_RETURN(
        Rescorer rescorer,
        Rescorer::Make(normalizer, target,
                       {.vector = vector,
                        .own_id = own == nullptr ? "" : EncodeId(*own),
                        .exact = source.exact},
                       context));
    return std::optional<Correction>(
        Correction::OfCandidates(std::move(normalizer), std::move(rescorer)));
  }
  ASSIGN_OR_RETURN(
      Correction correction,
      Correction::Make(std::move(normalizer), *target.snapshot, context));
  if (correction.has_gates()) {
    ASSIGN_OR_RETURN(const std::optional<Candidate> nearest,
                     NearestByRawScore(target, source, vector, context));
    if (nearest.has_value()) {
      RETURN_IF_ERROR(
          correction.OpenGates(*target.snapshot, *nearest, context));
    }
  }
  return std::optional<Correction>(std::move(correction));
}

}  // namespace sextant
