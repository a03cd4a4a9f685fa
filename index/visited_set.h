// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <cstring>

#include "index/aligned_array.h"

namespace sextant {

// Which nodes one graph search has met: a byte a node that holds the number of
// the search, so that a new search forgets by counting up; the marks are wiped
// once in 255 searches. Serves graphs of any size, one after another.
//
// One per thread. Its size follows the largest graph that the thread searched.
class VisitedSet {
 public:
  // Forgets all; room for nodes [0, nodes).
  void Start(uint32_t nodes) {
    if (marks_.size() < nodes) {
      marks_ = AlignedArray<uint8_t>(nodes);
      epoch_ = 0;
    }
    if (++epoch_ == 0) {
      std::memset(marks_.data(), 0, marks_.size());
      epoch_ = 1;
    }
  }

  void Prefetch(uint32_t node) const {
    __builtin_prefetch(marks_.data() + node, 1);
  }

  // True when the node is new; it is not from now on.
  bool Insert(uint32_t node) {
    uint8_t& mark = marks_.data()[node];
    const bool fresh = mark != epoch_;
    mark = epoch_;
    return fresh;
  }

 private:
  AlignedArray<uint8_t> marks_;
  uint8_t epoch_ = 0;
};

}  // namespace sextant
