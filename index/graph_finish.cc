// SPDX-License-Identifier: Apache-2.0
#include "index/graph_finish.h"

#include <algorithm>

#include "base/check.h"
#include "index/frozen_graph.h"

namespace sextant {
namespace {

// Breadth-first walk over level 0 that can be continued from new nodes.
class Walk {
 public:
  explicit Walk(const HnswGraph& graph)
      : graph_(graph), parent_(graph.nodes(), kNoNode) {
    order_.reserve(graph.nodes());
    Visit(graph.entry(), graph.entry());
  }

  // Reaches `node` over a link from `parent`, and all that follows from it.
  void Visit(uint32_t node, uint32_t parent) {
    size_t next = order_.size();
    parent_[node] = parent;
    order_.push_back(node);
    for (; next < order_.size(); ++next) {
      const uint32_t from = order_[next];
      for (const uint32_t to : graph_.links(0, from)) {
        if (parent_[to] == kNoNode) {
          parent_[to] = from;
          order_.push_back(to);
        }
      }
    }
  }

  bool reached(uint32_t node) const { return parent_[node] != kNoNode; }
  uint32_t parent(uint32_t node) const { return parent_[node]; }
  const std::vector<uint32_t>& order() const { return order_; }

 private:
  const HnswGraph& graph_;
  std::vector<uint32_t> parent_;  // kNoNode: not reached
  std::vector<uint32_t> order_;   // reached nodes
};

// Gives `from` a link to `to`, if need be in place of its last link that no
// node depends on.
bool Link(HnswGraph& graph, const Walk& walk, uint32_t from, uint32_t to) {
  if (graph.AddLink(0, from, to)) {
    return true;
  }
  const auto links = graph.mutable_links(0, from);
  for (size_t i = links.size(); i-- > 0;) {
    if (walk.parent(links[i]) != from) {
      links[i] = to;
      return true;
    }
  }
  return false;
}

void LinkNode(HnswGraph& graph, Walk& walk, uint32_t node) {
  constexpr uint32_t kNear = 64;
  for (const BeamNode& near : graph.FindNear(node, kNear)) {
    if (walk.reached(near.node) && Link(graph, walk, near.node, node)) {
      walk.Visit(node, near.node);
      return;
    }
  }
  // A walk over n nodes depends on n - 1 links only, so some node has a place.
  for (const uint32_t from : walk.order()) {
    if (Link(graph, walk, from, node)) {
      walk.Visit(node, from);
      return;
    }
  }
  CHECK(graph.max_links(0) < 2) << "no node has room for a link";
}

}  // namespace

uint32_t LinkUnreachable(HnswGraph& graph) {
  Walk walk(graph);
  uint32_t linked = 0;
  for (uint32_t node = 0; node < graph.nodes(); ++node) {
    if (!walk.reached(node)) {
      LinkNode(graph, walk, node);
      ++linked;
    }
  }
  return linked;
}

std::vector<uint32_t> OrderForLocality(const HnswGraph& graph) {
  const Walk walk(graph);
  CHECK_EQ(walk.order().size(), graph.nodes());
  std::vector<uint32_t> order = walk.order();
  std::ranges::stable_sort(order, [&graph](uint32_t a, uint32_t b) {
    return graph.level(a) > graph.level(b);
  });
  return order;
}

}  // namespace sextant
