// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "index/text/posting_list.h"

namespace sextant {

// Finds the impacts of postings: the shortest length for each count, of which
// only those matter that no higher count undercuts. Counts from 16 on share an
// entry. Owned by one thread.
class ImpactCollector {
 public:
  ImpactCollector() { shortest_.fill(kNone); }

  void Add(uint32_t tf, uint32_t length) {
    uint32_t& shortest = shortest_[tf < kCounts ? tf : kCounts];
    shortest = length < shortest ? length : shortest;
    largest_ = tf > largest_ ? tf : largest_;
  }
  void Merge(const ImpactCollector& other);

  // At most kImpacts pairs that cover all that was added; pairs are joined
  // where that loosens the bound least, at k1 1.2 and b 0.75.
  ImpactSet Finish(double average_length) const;

 private:
  static constexpr uint32_t kCounts = 16;
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  std::array<uint32_t, kCounts + 1> shortest_;
  uint32_t largest_ = 0;
};

}  // namespace sextant
