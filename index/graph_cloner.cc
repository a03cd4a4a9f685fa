// SPDX-License-Identifier: Apache-2.0
#include "index/graph_cloner.h"

#include <algorithm>

#include "base/check.h"
#include "base/status_macros.h"
#include "index/neighbour_selection.h"
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

std::vector<uint32_t> GraphCloner::levels() const {
  std::vector<uint32_t> levels;
  levels.reserve(base_nodes_.size());
  for (const uint32_t base_node : base_nodes_) {
    levels.push_back(LevelOf(base_node));
  }
  return levels;
}

absl::Status GraphCloner::Clone(const BuildRun& run,
                                const NodeDistances& distances,
                                GrowingGraph& graph) const {
  // The nodes of a frozen graph are in order of their levels.
  graph.SetEntry(0);
  const auto kept = static_cast<uint32_t>(base_nodes_.size());
  return ForEachNode(run, 0, kept, [&](uint32_t node) {
    for (uint32_t level = 0; level <= graph.level(node); ++level) {
      graph.SetLinks(
          level, node,
          LinksOf(level, base_nodes_[node], distances, graph.max_links(level)));
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
                                           const NodeDistances& distances,
                                           uint32_t max_links) const {
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
  const uint32_t node = node_of_base_[base_node];
  NodeDistances::Query query;
  distances.SetQuery(node, query);
  std::vector<float> scores(candidates.size());
  distances.Exact(query, candidates, scores.data());
  std::vector<BeamNode> sorted(candidates.size());
  for (size_t i = 0; i < sorted.size(); ++i) {
    sorted[i] = {scores[i], candidates[i]};
  }
  std::ranges::stable_sort(sorted, {}, &BeamNode::distance);
  NeighbourSelector selector;
  const auto selected = selector.Select(distances, sorted, max_links);
  return {selected.begin(), selected.end()};
}

}  // namespace sextant
