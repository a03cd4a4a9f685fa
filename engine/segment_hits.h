// SPDX-License-Identifier: Apache-2.0
//
// What searches by any source do segment by segment.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "engine/candidate.h"
#include "engine/filter_match.h"
#include "engine/snapshot.h"
#include "index/row_filter.h"
#include "index/top_k.h"

namespace sextant {

// The live rows of a segment that a search may find; all when `match`, its rows
// in the query's filter, is null. `bits` is room that the filter looks into and
// outlives it.
RowFilter RowsToFind(const SegmentView& view, const SegmentMatch* match,
                     std::vector<uint64_t>& bits);

// Takes what was found in the segment at this position of the snapshot.
void TakeFound(const SegmentView& view, size_t segment, TopK& top,
               std::vector<Candidate>* found);

// The score of each of `points`, ScoreList::kUnknown where it has none.
// `score_rows` gives those of distinct rows of one segment, in their order.
absl::StatusOr<std::vector<double>> ScoreBySegment(
    const Snapshot& snapshot, std::span<const Candidate> points,
    absl::FunctionRef<absl::StatusOr<std::vector<double>>(
        size_t segment, const std::vector<Ordinal>& rows)>
        score_rows);

}  // namespace sextant
