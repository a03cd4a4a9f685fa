// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sextant {

// What the planner knows of a segment that no longer grows.
struct SegmentSize {
  uint64_t live = 0;
  uint64_t dead = 0;
  // It has no column of a payload field that was declared later, or no index of
  // texts that are to be indexed in another way.
  bool unfilled = false;
};

// Segments to merge into one: the first `frozen` of the frozen segments (a
// prefix, so that the change log can be trimmed) and these sealed ones.
struct CompactionPlan {
  size_t frozen = 0;
  std::vector<size_t> sealed;  // positions, ascending
  // `sealed` is one, which gets what it lacks and stays as it is.
  bool fill = false;
  bool empty() const { return frozen == 0 && sealed.empty(); }
};

// A merge inserts all rows but those of its largest input, whose graph it
// clones. So sealed segments join a merge while they are at most
// kMergeGrowth times what is gathered so far: the copying stays in proportion
// to the inserting, and the sizes of the segments that remain rise
// geometrically, which bounds their number by log(points).
inline constexpr uint64_t kMergeGrowth = 8;

// A collection that nobody writes to may do more: each segment that is left
// costs a search about as much as the largest. Its smallest segments are merged
// with one of at most kIdleMergeGrowth times their rows, so that a row that
// trickles in costs no more than the copying of so many; an idle collection of
// 2,048 (where graphs begin) times this is one segment.
inline constexpr uint64_t kIdleMergeGrowth = 64;

// A sealed segment with this share of dead rows (and at least
// kDeadRowsMin of them) is rewritten even when nothing else is to do.
inline constexpr double kDeadShareMax = 0.2;
inline constexpr uint64_t kDeadRowsMin = 1024;

// Rows of one merge, so that a burst of writes does not end in one build of
// everything that uses twice the memory.
inline constexpr uint64_t kFrozenRowsMax = 2'000'000;

enum class WriteLoad { kBusy, kIdle };

// When no merge is worth doing, one segment that lacks some gets them; a
// merge fills in its inputs on the way.
//
// `frozen` oldest first. Carried out again and again, plans come to an end.
// Pure.
CompactionPlan PlanCompaction(const std::vector<SegmentSize>& frozen,
                              const std::vector<SegmentSize>& sealed,
                              WriteLoad load);

}  // namespace sextant
