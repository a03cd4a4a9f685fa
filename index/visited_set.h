// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <vector>

#include "index/aligned_array.h"

namespace sextant {

// Which nodes one graph search has met: a bit a node, so that the marks of a
// million nodes fit into the second-level cache beside what the search reads.
// The nodes met are listed, and a new search clears their words alone. Serves
// graphs of any size, one after another.
//
// One per thread. Its size follows the largest graph that the thread searched.
class VisitedSet {
 public:
  // Forgets all; room for nodes [0, nodes).
  void Start(uint32_t nodes) {
    for (const uint32_t node : met_) {
      words_.data()[node / kWordBits] = 0;
    }
    met_.clear();
    const size_t words = (size_t{nodes} + kWordBits - 1) / kWordBits;
    if (words_.size() < words) {
      words_ = AlignedArray<uint64_t>(words);
    }
  }

  // True when the node is new; it is not from now on.
  bool Insert(uint32_t node) {
    uint64_t& word = words_.data()[node / kWordBits];
    const uint64_t bit = uint64_t{1} << (node % kWordBits);
    if ((word & bit) != 0) {
      return false;
    }
    word |= bit;
    met_.push_back(node);
    return true;
  }

 private:
  static constexpr uint32_t kWordBits = 64;

  AlignedArray<uint64_t> words_;
  std::vector<uint32_t> met_;
};

}  // namespace sextant
