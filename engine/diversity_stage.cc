// SPDX-License-Identifier: Apache-2.0
#include "engine/diversity_stage.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/snapshot.h"
#include "engine/stage_clock.h"
#include "index/distance.h"
#include "ranking/diversity.h"

namespace sextant {
namespace {

// Without a number from the client: some times what is asked for.
constexpr uint32_t kCandidatesTimes = 4;
constexpr uint32_t kCandidatesMin = 50;

}  // namespace

uint32_t DiversityCandidates(const SearchQuery& query) {
  if (query.diversity->candidates != 0) {
    return query.diversity->candidates;
  }
  return std::min(limits::kDiversityCandidatesMax,
                  std::max(kCandidatesMin,
                           kCandidatesTimes * (query.offset + query.limit)));
}

absl::StatusOr<std::vector<Candidate>> Diversify(
    const SearchTarget& target, uint16_t field, const SearchQuery& query,
    std::vector<Candidate> candidates, const RequestContext& context,
    StageTiming* timing) {
  const StageClock clock;
  const VectorFieldSchema& schema = target.schema->vector_fields[field];
  const DistanceKernels& kernels = Kernels();
  std::vector<const float*> vectors;
  std::vector<float> relevance;
  for (const Candidate& candidate : candidates) {
    const SegmentView& view = *target.snapshot->segments[candidate.segment];
    vectors.push_back(view.vector(field, candidate.row));
    relevance.push_back(candidate.score);
  }
  uint64_t distances = 0;
  const auto similarity = [&](uint32_t first, std::span<const uint32_t> others,
                              std::span<float> out) -> absl::Status {
    RETURN_IF_ERROR(context.Check());
    for (size_t i = 0; i < others.size(); ++i) {
      out[i] = schema.metric == Metric::kL2
                   ? -kernels.squared_l2(vectors[first], vectors[others[i]],
                                         schema.dimension)
                   : kernels.inner_product(vectors[first], vectors[others[i]],
                                           schema.dimension);
    }
    distances += others.size();
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(
      const std::vector<uint32_t> chosen,
      SelectDiverse(relevance, query.diversity->strength,
                    size_t{query.offset} + query.limit, similarity));
  std::vector<Candidate> result;
  result.reserve(chosen.size());
  for (const uint32_t i : chosen) {
    result.push_back(candidates[i]);
  }
  timing->name = "diversity";
  timing->candidates_in = candidates.size();
  timing->candidates_out = result.size();
  timing->distances = distances;
  timing->seconds = clock.seconds();
  return result;
}

}  // namespace sextant
