// SPDX-License-Identifier: Apache-2.0
#include "index/graph_cloner.h"

#include <algorithm>

#include "base/check.h"
#include "base/status_macros.h"
#include "index/vector_index_rep.h"

namespace sextant {
namespace {

// With less of the base than this a new graph is better and hardly dearer.
constexpr double kKeptMin = 0.6;

}  // namespace

bool GraphCloner::CanClone(const VectorIndexInput& input) {
  if (input.base == nullptr || !input.base->has_graph()) {
    return false;
  }
  const VectorShape& shape = input.base->shape();
  return shape.metric == input.shape.metric &&
         shape.dimension == input.shape.dimension &&
         input.base->rep_->graph->sizes().m == input.graph.m;
}

GraphCloner::GraphCloner(const VectorIndexInput& input, const RowGroups& groups)
    : base_(*input.base->rep_->graph), node_of_base_(base_.nodes(), kNoNode) {
  for (uint32_t base_node = 0; base_node < base_.nodes(); ++base_node) {
    const auto group = groups.Find(input.base->row_vector(base_node));
    if (group.has_value()) {
      node_of_base_[base_node] = static_cast<uint32_t>(base_nodes_.size());
      base_nodes_.push_back(base_node);
      kept_groups_.push_back(*group);
    }
  }
}

bool GraphCloner::worthwhile() const {
  return !kept_groups_.empty() &&
         static_cast<double>(kept_groups_.size()) >= kKeptMin * base_.nodes();
}

absl::Status GraphCloner::Clone(const BuildRun& run, HnswGraph& graph) const {
  const auto kept = static_cast<uint32_t>(base_nodes_.size());
  for (uint32_t node = 0; node < kept; ++node) {
    graph.Add(node, LevelOf(base_nodes_[node]));
  }
  // The nodes of a frozen graph are in order of their levels.
  graph.SetEntry(0);
  return ForEachNode(run, 0, kept, [this, &graph](uint32_t node) {
    for (uint32_t level = 0; level <= graph.level(node); ++level) {
      graph.SetLinks(level, node, LinksOf(level, base_nodes_[node], graph));
    }
    return absl::OkStatus();
  });
}

uint32_t GraphCloner::LevelOf(uint32_t base_node) const {
  uint32_t level = 0;
  while (level < base_.levels() && base_node < base_.sizes().nodes_at[level]) {
    ++level;
  }
  return level;
}

std::vector<uint32_t> GraphCloner::LinksOf(uint32_t level, uint32_t base_node,
                                           const HnswGraph& graph) const {
  // Enough to choose from; dropped regions may be large.
  constexpr size_t kCandidatesMax = 256;
  constexpr size_t kDroppedMax = 64;
  std::vector<uint32_t> candidates;  // new nodes
  std::vector<uint32_t> dropped;     // base nodes to look behind
  const auto collect = [&](uint32_t from) {
    for (const uint32_t to : base_.links(level, from)) {
      if (to == kNoNode) {
        break;
      }
      if (node_of_base_[to] == kNoNode) {
        if (dropped.size() < kDroppedMax &&
            std::ranges::find(dropped, to) == dropped.end()) {
          dropped.push_back(to);
        }
      } else if (to != base_node && candidates.size() < kCandidatesMax) {
        candidates.push_back(node_of_base_[to]);
      }
    }
  };
  collect(base_node);
  const uint32_t max_links = graph.max_links(level);
  if (dropped.empty()) {
    candidates.resize(std::min<size_t>(candidates.size(), max_links));
    return candidates;
  }
  // Grows while it is walked: what lies behind dropped nodes that lead to
  // dropped nodes only is looked at too.
  for (size_t i = 0; i < dropped.size() && candidates.size() < kCandidatesMax;
       ++i) {
    collect(dropped[i]);
  }
  std::ranges::sort(candidates);
  candidates.erase(std::unique(candidates.begin(), candidates.end()),
                   candidates.end());
  return graph.Select(node_of_base_[base_node], candidates, max_links);
}

}  // namespace sextant
