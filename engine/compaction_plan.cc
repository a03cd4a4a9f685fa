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

}  // namespace

CompactionPlan PlanCompaction(const std::vector<SegmentSize>& frozen,
                              const std::vector<SegmentSize>& sealed) {
  CompactionPlan plan;
  uint64_t gathered = 0;
  for (const SegmentSize& segment : frozen) {
    if (plan.frozen > 0 && gathered + segment.live > kFrozenRowsMax) {
      break;
    }
    gathered += segment.live;
    ++plan.frozen;
  }
  std::vector<size_t> by_size(sealed.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(), [&](size_t a, size_t b) {
    return sealed[a].live < sealed[b].live;
  });
  for (const size_t i : by_size) {
    const bool joins = (plan.frozen > 0 || !plan.sealed.empty()) &&
                       sealed[i].live <= gathered * kMergeGrowth;
    if (joins || MostlyDead(sealed[i])) {
      plan.sealed.push_back(i);
      gathered += sealed[i].live;
    }
  }
  std::sort(plan.sealed.begin(), plan.sealed.end());
  return plan;
}

}  // namespace sextant
