// SPDX-License-Identifier: Apache-2.0
//
// Leaves out of a ranked list what is not good enough.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/candidate.h"
#include "engine/find_adapter.h"
#include "engine/search_query.h"
#include "engine/search_result.h"

namespace sextant {

// The best points that a search has to rank, so that its cut-off sees those
// that it looks at: `page_end` (offset + limit) or more.
uint32_t RankedForCutOff(const SearchQuery& query, uint32_t page_end);

// Cuts `candidates`, best first, and tells what it did. `query` was checked and
// has a cut-off; `adapter` is that of an AdapterCutOff.
CutOffOutcome ApplyCutOff(const SearchQuery& query,
                          const std::optional<BoundAdapter>& adapter,
                          std::vector<Candidate>* candidates);

}  // namespace sextant
