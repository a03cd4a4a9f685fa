// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/beam.h"
#include "index/node_distances.h"

namespace sextant {

// Chooses the links of a node: candidates, nearest first, each kept unless one
// kept before is nearer to it than the node is (algorithm 4 of arXiv
// 1603.09320). So links lead in all directions, and the way to a node behind
// another leads over that one.
//
// Owned by one thread, reused.
class NeighbourSelector {
 public:
  // The kept ones of `candidates`, which ascend by distance to the node; at
  // most `count`. Valid until the next call.
  std::span<const uint32_t> Select(const NodeDistances& distances,
                                   std::span<const BeamNode> candidates,
                                   uint32_t count);

 private:
  // Drops the open candidates before `begin`, and those that are nearer to
  // `kept` than to the node.
  void RuleOut(const NodeDistances& distances, const NodeDistances::Query& kept,
               size_t begin);

  std::vector<uint32_t> kept_;
  std::vector<NodeDistances::Query> queries_;  // of the kept
  // Candidates of one block that nothing has ruled out, and their distances to
  // the node.
  std::vector<uint32_t> open_;
  std::vector<float> open_distances_;
  std::vector<float> kept_distances_;
};

}  // namespace sextant
