// SPDX-License-Identifier: Apache-2.0
//
// The last stage of a search: from a page of candidates to hits.

#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/candidate.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/search_target.h"

namespace sextant {

// Ids and scores, and what the query's projection asks for, read from the
// snapshot's view of the store. `timing` stays without a name when nothing was
// read. kResourceExhausted when the hits are larger than
// SearchQuery::fetch_bytes_max.
absl::StatusOr<std::vector<Hit>> FetchHits(const SearchTarget& target,
                                           const std::vector<Candidate>& page,
                                           const SearchQuery& query,
                                           const RequestContext& context,
                                           StageTiming* timing);

}  // namespace sextant
