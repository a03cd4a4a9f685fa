// SPDX-License-Identifier: Apache-2.0
//
// The stage of a search that gives the best hits of each value of a field.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/candidate.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/snapshot.h"

namespace sextant {

// How many candidates a grouped search begins with, grows to, and grows by.
struct GroupingRounds {
  uint32_t first = 0;
  uint32_t last = 0;
  static constexpr uint32_t kGrowth = 4;
};
GroupingRounds RoundsOf(const SearchQuery& query);

// A look at some candidates.
struct GroupedPage {
  std::vector<Candidate> candidates;  // those of a group beside each other
  std::vector<HitGroup> groups;       // as many as lie on the page
  uint64_t groups_found = 0;          // with those before the page
  bool has_all_groups = false;        // offset + limit of them
};

// The query's page of groups among `candidates`, which are best first. `field`
// is the position of the payload field, which every segment has. A point with
// several values is in the group of each; one without is in none.
GroupedPage GroupCandidates(const Snapshot& snapshot, const SearchQuery& query,
                            uint16_t field,
                            const std::vector<Candidate>& candidates);

}  // namespace sextant
