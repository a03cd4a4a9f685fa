// SPDX-License-Identifier: Apache-2.0
//
// The stage of a search that puts unlike hits beside each other.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/candidate.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/search_target.h"

namespace sextant {

// How many of the best points the stage looks at, for a query that has it.
uint32_t DiversityCandidates(const SearchQuery& query);

// The first offset + limit of `candidates`, which are best first, in the order
// of maximal marginal relevance (ranking/diversity.h): both relevance and
// likeness are the field's own score. Scores stay what they are. Reads the
// candidates' vectors from their segments. Fills in all of `timing`.
absl::StatusOr<std::vector<Candidate>> Diversify(
    const SearchTarget& target, uint16_t field, const SearchQuery& query,
    std::vector<Candidate> candidates, const RequestContext& context,
    StageTiming* timing);

}  // namespace sextant
