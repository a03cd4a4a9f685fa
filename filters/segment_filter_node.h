// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <vector>

#include "filters/segment_filter.h"
#include "index/columns/document_set.h"
#include "index/columns/posting_table.h"

namespace sextant {

// The values of a range of a column: its entries, and the codes of its values.
struct ValueInterval {
  PositionRun run;
  uint32_t first_code = 0;  // [first_code, last_code)
  uint32_t last_code = 0;
  bool one_value = false;  // known to be of one value
};

struct SegmentFilter::Node {
  enum class Kind {
    kNothing,
    kEverything,
    kValues,    // rows with a value in one of the intervals
    kOrdinals,  // these rows
    kAnd,       // parts by ascending at_most; two or more
    kOr,        // two or more
    kNot,       // one part
  };

  Kind kind = Kind::kNothing;
  uint32_t rows = 0;     // of the segment
  uint32_t at_most = 0;  // rows that match, at most
  bool exact = true;     // at_most is their number
  // What Evaluate() takes, in entries or words read.
  uint64_t cost = 0;

  const PostingTable* table = nullptr;   // kValues
  std::vector<ValueInterval> intervals;  // kValues: ascending, apart
  const DocumentSet* kept = nullptr;     // kValues: the result, if it is kept
  std::vector<Ordinal> ordinals;         // kOrdinals: ascending
  std::vector<Node> parts;

  static Node Nothing(uint32_t rows);
  static Node Everything(uint32_t rows);
  // `intervals` in any order; they may overlap.
  static Node Values(const PostingTable& table,
                     std::vector<ValueInterval> intervals);
  static Node Ordinals(std::vector<Ordinal> ordinals, uint32_t rows);
  static Node And(std::vector<Node> parts, uint32_t rows);
  static Node Or(std::vector<Node> parts, uint32_t rows);
  static Node Not(Node part);

  bool Matches(Ordinal row) const;
  DocumentSet Evaluate() const;
};

// `filter` for one segment.
SegmentFilter::Node CompileFilter(const BoundFilter& filter,
                                  const SegmentColumns& columns);

}  // namespace sextant
