// SPDX-License-Identifier: Apache-2.0
#include "index/neighbour_selection.h"

#include <algorithm>

namespace sextant {

void NeighbourSelector::RuleOut(const NodeDistances& distances,
                                const NodeDistances::Query& kept,
                                size_t begin) {
  const auto rest = std::span<const uint32_t>(open_).subspan(begin);
  kept_distances_.resize(rest.size());
  distances.Near(kept, rest, kept_distances_.data());
  size_t open = 0;
  for (size_t i = 0; i < kept_distances_.size(); ++i) {
    open_[open] = open_[begin + i];
    open_distances_[open] = open_distances_[begin + i];
    // Written so that what is not a number rules nothing out.
    open += kept_distances_[i] < open_distances_[open] ? 0U : 1U;
  }
  open_.resize(open);
  open_distances_.resize(open);
}

std::span<const uint32_t> NeighbourSelector::Select(
    const NodeDistances& distances, std::span<const BeamNode> candidates,
    uint32_t count) {
  // Far candidates are seldom looked at; those of a block cost one pass of the
  // batched kernel for each that is kept.
  constexpr size_t kBlock = 32;
  kept_.clear();
  if (queries_.size() < count) {
    queries_.resize(count);
  }
  while (!candidates.empty() && kept_.size() < count) {
    const auto block = candidates.first(std::min(kBlock, candidates.size()));
    candidates = candidates.subspan(block.size());
    open_.clear();
    open_distances_.clear();
    for (const BeamNode& candidate : block) {
      open_.push_back(candidate.node);
      open_distances_.push_back(candidate.distance);
    }
    for (size_t i = 0; i < kept_.size() && !open_.empty(); ++i) {
      RuleOut(distances, queries_[i], 0);
    }
    while (!open_.empty() && kept_.size() < count) {
      NodeDistances::Query& query = queries_[kept_.size()];
      distances.SetQuery(open_.front(), query);
      kept_.push_back(open_.front());
      RuleOut(distances, query, 1);
    }
  }
  return kept_;
}

}  // namespace sextant
