// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "index/aligned_array.h"
#include "index/frozen_graph.h"

namespace sextant {

// The neighbour lists of a graph under construction.
//
// Any thread may read a list while one that holds its mutex() writes: a reader
// meets some links of before and some of after, which costs a search nothing.
// Whatever was written of a node before it was first linked to is seen by who
// finds the link.
class LinkLists {
 public:
  // Lists of `m` links on upper levels and 2 m on level 0.
  LinkLists(uint32_t nodes, uint32_t m);

  // Gives the node empty lists on levels 0 to `level`. Before any link to it.
  void Add(uint32_t node, uint32_t level);

  uint32_t nodes() const { return static_cast<uint32_t>(levels_.size()); }
  uint32_t level(uint32_t node) const { return levels_[node]; }
  uint32_t max_links(uint32_t level) const { return level == 0 ? 2 * m_ : m_; }

  template <typename Visit>
  void ForEach(uint32_t level, uint32_t node, Visit visit) const {
    uint32_t* const list = list_of(level, node);
    const uint32_t end = max_links(level);
    for (uint32_t i = 0; i < end; ++i) {
      const uint32_t to =
          std::atomic_ref(list[i]).load(std::memory_order_acquire);
      if (to == kNoNode) {
        return;
      }
      visit(to);
    }
  }
  void PrefetchLevel0(uint32_t node) const {
    const uint32_t* list = level0_.data() + uint64_t{node} * level0_stride_;
    __builtin_prefetch(list);
    __builtin_prefetch(list + kLineIds);
  }

  // What the writers of a node's lists hold. Shared between nodes: a thread
  // holds one at a time.
  Mutex& mutex(uint32_t node) { return mutexes_[node % kMutexes]; }

  // Replaces a list; at most max_links() of them.
  void Set(uint32_t level, uint32_t node, std::span<const uint32_t> links);
  // False when the list is full.
  bool Append(uint32_t level, uint32_t node, uint32_t to);

  // While nobody writes.
  std::span<uint32_t> links(uint32_t level, uint32_t node) const;

 private:
  static constexpr uint32_t kMutexes = 4096;
  static constexpr uint32_t kLineIds = 16;

  uint32_t* list_of(uint32_t level, uint32_t node) const {
    return level == 0
               ? const_cast<uint32_t*>(level0_.data()) +
                     uint64_t{node} * level0_stride_
               : upper_[node].get() + static_cast<size_t>(level - 1) * m_;
  }

  const uint32_t m_;
  const uint32_t level0_stride_;
  AlignedArray<uint32_t> level0_;  // lists start on cache lines
  std::vector<std::unique_ptr<uint32_t[]>> upper_;  // by node, level by level
  std::vector<uint8_t> levels_;
  std::array<Mutex, kMutexes> mutexes_;
};

}  // namespace sextant
