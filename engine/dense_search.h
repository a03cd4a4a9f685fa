// SPDX-License-Identifier: Apache-2.0
//
// The dense source of a search: which points of a snapshot are nearest.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/candidate.h"
#include "engine/correction.h"
#include "engine/filter_match.h"
#include "engine/plan.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/search_target.h"

namespace sextant {

// What the query's filter lets through in each segment; nothing when it has no
// filter.
using Matches = std::optional<std::vector<SegmentMatch>>;

// Of one segment; null without a filter.
inline const SegmentMatch* MatchOf(const Matches& matches, size_t segment) {
  return matches.has_value() ? &(*matches)[segment] : nullptr;
}

// What the planner may know of the segments of `snapshot`.
std::vector<SegmentFacts> FactsOf(const Snapshot& snapshot, uint16_t field,
                                  const Matches& matches);

// The vector that the source is near to, normalised where the metric asks for
// it. kNotFound when it is that of a stored point which does not exist or lacks
// the field; `path` is that of the source, for the message.
absl::StatusOr<std::vector<float>> QueryVector(const SearchTarget& target,
                                               const DenseSource& source,
                                               uint16_t field,
                                               absl::string_view path,
                                               const RequestContext& context);

// What the searches of all segments have in common.
struct DenseSearch {
  const DensePlan& plan;
  std::span<const float> query;
  const RequestContext& context;
  const Correction* correction = nullptr;  // null: scores are raw
};

// The best `plan.candidates` points of the snapshot, best first, as the plan
// says how to find them; with a correction that rescores them, those by raw
// score in the order of the new ones. Fills in all of `timing` but its name.
absl::StatusOr<std::vector<Candidate>> RunDense(const Snapshot& snapshot,
                                                const DenseSearch& search,
                                                const Matches& matches,
                                                StageTiming* timing);

// The score of each of `points`, distinct ones of the snapshot, by their
// floats; ScoreList::kUnknown where one lacks the field.
absl::StatusOr<std::vector<double>> ScoreDense(
    const Snapshot& snapshot, const DenseSearch& search,
    std::span<const Candidate> points);

}  // namespace sextant
