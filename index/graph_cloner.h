// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "index/frozen_graph.h"
#include "index/hnsw_graph.h"
#include "index/parallel_nodes.h"
#include "index/row_groups.h"

namespace sextant {

// Carries the graph of a sealed index over into a new build, without the nodes
// that the new index no longer has. Nodes are matched by vector, so a point
// that was overwritten with the vector it had costs no graph work at all.
//
// A node that linked to dropped ones chooses its links anew among its living
// neighbours and those that it reached through dropped ones.
//
// Reads the input and its base, which outlive it. Owned by one build.
class GraphCloner {
 public:
  // `input.base` must not be null.
  GraphCloner(const VectorIndexInput& input, const RowGroups& groups);

  // Whether the base has a graph of the wanted form of which enough is kept.
  static bool CanClone(const VectorIndexInput& input);
  bool worthwhile() const;

  // The groups that keep their node, as nodes 0, 1, ... of the new graph.
  const std::vector<uint32_t>& kept_groups() const { return kept_groups_; }

  // Fills the empty `graph` with the kept nodes, their links and the entry.
  absl::Status Clone(const BuildRun& run, HnswGraph& graph) const;

 private:
  uint32_t LevelOf(uint32_t base_node) const;
  std::vector<uint32_t> LinksOf(uint32_t level, uint32_t base_node,
                                const HnswGraph& graph) const;

  const FrozenGraph& base_;
  std::vector<uint32_t> kept_groups_;   // by new node
  std::vector<uint32_t> base_nodes_;    // by new node
  std::vector<uint32_t> node_of_base_;  // kNoNode: dropped
};

}  // namespace sextant
