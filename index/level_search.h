// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/beam.h"
#include "index/growing_graph.h"
#include "index/node_distances.h"
#include "index/visited_set.h"

namespace sextant {

// Searches a graph under construction for the nodes that a node might link to.
// Nobody may change the graph meanwhile.
//
// Owned by one thread, reused from build to build.
class LevelSearch {
 public:
  // A graph and the distances of its nodes; both outlive a search.
  struct Place {
    const GrowingGraph& graph;
    const NodeDistances& distances;
  };

  // Greedy walk from the graph's entry down to the level above `last`.
  BeamNode Descend(const Place& place, const NodeDistances::Query& query,
                   uint32_t last);

  // The `width` nearest nodes of the level that lead on from `entry`, nearest
  // first. Valid until the next call.
  std::span<const BeamNode> Search(const Place& place,
                                   const NodeDistances::Query& query,
                                   BeamNode entry, uint32_t level,
                                   uint32_t width);

 private:
  VisitedSet visited_;
  SortedBeam beam_;
  std::vector<uint32_t> nodes_;
  std::vector<float> node_distances_;
  std::vector<BeamNode> found_;
};

}  // namespace sextant
