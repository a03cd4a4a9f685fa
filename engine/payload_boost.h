// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "engine/candidate.h"
#include "engine/search_query.h"
#include "engine/search_target.h"
#include "ranking/boost.h"

namespace sextant {

// What a boost makes of the score of a point, by what the point has in the
// payload field. Booleans count as 0 and 1, moments in seconds since 1970.
Boosted BoostPoint(const SearchTarget& target, const PayloadBoost& boost,
                   const Candidate& point, double score);

}  // namespace sextant
