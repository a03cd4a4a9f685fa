// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/plan.h"
#include "engine/point_reader.h"
#include "engine/schema.h"
#include "engine/search_query.h"
#include "engine/snapshot.h"

namespace sextant {

// What a search runs on. Pointers outlive the call.
struct SearchTarget {
  const Schema* schema = nullptr;
  const Snapshot* snapshot = nullptr;
  const PointReader* reader = nullptr;
  SearchDefaults defaults;
};

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
