// SPDX-License-Identifier: Apache-2.0
#include "engine/compaction_plan.h"

#include <algorithm>
#include <numeric>

namespace sextant {
namespace {

bool MostlyDead(const SegmentSize& segment) {
  const uint64_t rows = segment.live + segment.dead;
  return segment.live == 0 || (segment.dead >= kDeadRowsMin &&
                               static_cast<double>(segment.dead) >
                                   kDeadShareMax * static_cast<double>(rows));
}

// Positions, smallest first.
std::vector<size_t> BySize(const std::vector<SegmentSize>& segments) {
  std::vector<size_t> by_size(segments.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(), [&](size_t a, size_t b) {
    return segments[a].live < segments[b].live;
  });
  return by_size;
}

// How many of the smallest sealed segments make one with the frozen rows when
// nobody writes: up to the largest that is small enough beside the others.
size_t CountIdle(const std::vector<SegmentSize>& sealed,
                 const std::vector<size_t>& by_size, uint64_t frozen_rows) {
  size_t count = 0;
  uint64_t smaller = frozen_rows;
  for (size_t i = 0; i < by_size.size(); ++i) {
    const uint64_t live = sealed[by_size[i]].live;
    if (smaller > 0 && live <= smaller * kIdleMergeGrowth) {
      count = i + 1;
    }
    smaller += live;
  }
  return count;
}

}  // namespace

CompactionPlan PlanCompaction(const std::vector<SegmentSize>& frozen,
                              const std::vector<SegmentSize>& sealed,
                              WriteLoad load) {
  CompactionPlan plan;
  uint64_t gathered = 0;
  for (const SegmentSize& segment : frozen) {
    if (plan.frozen > 0 && gathered + segment.live > kFrozenRowsMax) {
      break;
    }
    gathered += segment.live;
    ++plan.frozen;
  }
  const std::vector<size_t> by_size = BySize(sealed);
  const size_t idle =
      load == WriteLoad::kIdle ? CountIdle(sealed, by_size, gathered) : 0;
  for (size_t rank = 0; rank < by_size.size(); ++rank) {
    const SegmentSize& segment = sealed[by_size[rank]];
    const bool joins = (plan.frozen > 0 || !plan.sealed.empty()) &&
                       segment.live <= gathered * kMergeGrowth;
    if (rank < idle || joins || MostlyDead(segment)) {
      plan.sealed.push_back(by_size[rank]);
      gathered += segment.live;
    }
  }
  std::sort(plan.sealed.begin(), plan.sealed.end());
  if (plan.empty()) {
    // The smallest first: what can be filtered by soon shows that it goes on.
    const auto unfilled = std::find_if(
        by_size.begin(), by_size.end(),
        [&](size_t position) { return sealed[position].unfilled; });
    if (unfilled != by_size.end()) {
      plan.sealed.push_back(*unfilled);
      plan.fill = true;
    }
  }
  return plan;
}

}  // namespace sextant
