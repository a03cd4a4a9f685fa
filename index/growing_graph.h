// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "index/aligned_array.h"
#include "index/vector_index_builder.h"

namespace sextant {

// The links of a graph under construction: HNSW's levels, each node's list with
// room for more links than the finished graph may have, so that a list is
// pruned once for many links that it gains.
//
// Owned by one build. Lists of different nodes may be written by different
// threads, as long as nobody reads them.
class GrowingGraph {
 public:
  // Nodes [0, cloned_levels.size()) have these levels, the others a random one
  // that depends on their number alone. Throws std::bad_alloc.
  GrowingGraph(GraphParameters parameters, uint32_t nodes,
               std::span<const uint32_t> cloned_levels);

  uint32_t nodes() const { return nodes_; }
  uint32_t level(uint32_t node) const { return levels_[node]; }
  // Of the finished graph.
  uint32_t max_links(uint32_t level) const { return level == 0 ? 2 * m_ : m_; }
  // Of this one.
  uint32_t capacity(uint32_t level) const {
    return level == 0 ? capacity0_ : capacity_;
  }

  std::span<const uint32_t> links(uint32_t level, uint32_t node) const {
    return {List(level, node) + 1, *List(level, node)};
  }
  std::span<uint32_t> mutable_links(uint32_t level, uint32_t node) {
    return {List(level, node) + 1, *List(level, node)};
  }
  // At most capacity(level) of them.
  void SetLinks(uint32_t level, uint32_t node, std::span<const uint32_t> links);
  // False when the list has max_links(level) or more.
  bool AddLink(uint32_t level, uint32_t from, uint32_t to);

  void PrefetchLinks(uint32_t level, uint32_t node) const {
    constexpr uint32_t kLineIds = 16;
    const uint32_t* list = List(level, node);
    for (uint32_t i = 0; i <= capacity(level); i += kLineIds) {
      __builtin_prefetch(list + i);
    }
  }

  // kNoNode in an empty graph.
  uint32_t entry() const { return entry_; }
  void SetEntry(uint32_t node) { entry_ = node; }

 private:
  // A count, then the links.
  const uint32_t* List(uint32_t level, uint32_t node) const {
    return level == 0
               ? level0_.data() + uint64_t{node} * stride0_
               : upper_.data() +
                     (uint64_t{upper_at_[node]} + level - 1) * (capacity_ + 1);
  }
  uint32_t* List(uint32_t level, uint32_t node) {
    return const_cast<uint32_t*>(std::as_const(*this).List(level, node));
  }

  const uint32_t nodes_;
  const uint32_t m_;
  const uint32_t capacity0_;
  const uint32_t capacity_;
  const uint32_t stride0_;
  std::vector<uint8_t> levels_;
  std::vector<uint32_t> upper_at_;  // lists before those of the node
  AlignedArray<uint32_t> level0_;
  AlignedArray<uint32_t> upper_;
  uint32_t entry_;
};

}  // namespace sextant
