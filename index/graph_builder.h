// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "index/growing_graph.h"
#include "index/node_distances.h"
#include "index/parallel_nodes.h"

namespace sextant {

// Builds a graph by HNSW's rules (arXiv 1603.09320, algorithms 1 and 4), batch
// after batch: all nodes of a batch search the graph as it was before them,
// then all links are made. Nothing is written that anybody reads, so there is
// no lock, and the graph does not depend on the number of threads.
//
// Owned by one build. Returns the context's error, or kResourceExhausted
// without memory.
class GraphBuilder {
 public:
  // All outlive the builder.
  GraphBuilder(const BuildRun& run, GraphParameters parameters,
               const NodeDistances& distances, GrowingGraph& graph);

  // Inserts nodes [begin, nodes); those below have their links.
  absl::Status Insert(uint32_t begin);

  // Chooses the links that nodes [begin, nodes) have on level 0 anew, now that
  // the whole graph is there to choose from. A node that came early knows only
  // few of its neighbours, and those of its batch not at all.
  absl::Status Refine(uint32_t begin);

  // Cuts the lists to the lengths of the finished graph.
  absl::Status Prune();

 private:
  // A link that its other end may take up, and the next one to the same node.
  struct Offer {
    uint32_t from = 0;
    uint32_t next = 0;
  };

  void FindLinks(uint32_t node);
  std::span<const uint32_t> FindBetterLinks(uint32_t node);
  // Offers the links of `from` to their other ends.
  void OfferLinks(uint32_t level, uint32_t from);
  // Lets all nodes with offers take them up.
  absl::Status LinkBack(uint32_t level);
  void TakeUp(uint32_t level, uint32_t node);
  void SetBest(uint32_t level, uint32_t node,
               std::span<const uint32_t> candidates);

  const BuildRun& run_;
  const BuildRun quiet_run_;  // counts no progress
  const uint32_t m_;
  const uint32_t insert_width_;
  const uint32_t refine_width_;
  const NodeDistances& distances_;
  GrowingGraph& graph_;
  std::vector<Offer> offers_;
  std::vector<uint32_t> first_offer_;  // by node; kNoNode: none
  std::vector<uint32_t> offered_;      // nodes with offers
};

}  // namespace sextant
