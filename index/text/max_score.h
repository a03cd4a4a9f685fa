// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <deque>

#include "absl/status/status.h"

#include "base/context.h"
#include "index/metric.h"
#include "index/text/row_iterator.h"
#include "index/text/row_sink.h"
#include "index/text/scored_postings.h"

namespace sextant {

// The best rows of a disjunction of postings: MaxScore (Turtle & Flood 1995)
// with bounds by block (Ding & Suel 2011), in windows of rows. In a window the
// lists whose bounds together cannot reach a wanted score are only looked up
// for rows that the others found; a window that is out of reach altogether is
// not unpacked.
//
// Exactly the rows, and the scores, that scoring everything gives:
// contributions are summed in the order of `leaves` once more for each row that
// passes.
//
// `leaves` (stable in memory) are used up. `rows` is their number of rows;
// `excluded`, if not null, the rows that must not match.
absl::Status SearchMaxScore(std::deque<ScoredPostings>& leaves, uint32_t rows,
                            RowIterator* excluded,
                            const RequestContext& context, RowSink& sink);

}  // namespace sextant
