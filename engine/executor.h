// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/search_target.h"

namespace sextant {

// Validates, plans and runs a search on one snapshot: dense source over every
// segment, merge by (score, id), page, fetch. Takes no lock; polls `context`.
absl::StatusOr<SearchResult> ExecuteSearch(const SearchTarget& target,
                                           const SearchQuery& query,
                                           const RequestContext& context);

// The same for many queries, one after the other; each has its own outcome.
std::vector<absl::StatusOr<SearchResult>> ExecuteSearches(
    const SearchTarget& target, std::span<const SearchQuery> queries,
    const RequestContext& context);

}  // namespace sextant
