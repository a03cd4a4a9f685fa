// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/beam.h"

namespace sextant {

// Two heaps, as in the HNSW paper. For wide beams.
class HeapBeam {
 public:
  void Start(uint32_t width) {
    width_ = width;
    open_.clear();
    live_.clear();
  }

  float bound() const {
    return live_.size() < width_ ? std::numeric_limits<float>::infinity()
                                 : live_.front().distance;
  }

  void Insert(float distance, uint32_t node, bool live) {
    open_.push_back({distance, node});
    std::push_heap(open_.begin(), open_.end(), Farther);
    if (!live) {
      return;
    }
    live_.push_back({distance, node});
    std::push_heap(live_.begin(), live_.end(), Nearer);
    if (live_.size() > width_) {
      std::pop_heap(live_.begin(), live_.end(), Nearer);
      live_.pop_back();
    }
  }

  bool Next(uint32_t* node) {
    // Like the sorted beam, which has dropped what lies past its last entry.
    if (open_.empty() || open_.front().distance > bound()) {
      return false;
    }
    *node = open_.front().node;
    std::pop_heap(open_.begin(), open_.end(), Farther);
    open_.pop_back();
    return true;
  }

  template <typename Visit>
  void Peek(uint32_t count, Visit visit) const {
    const size_t seen = std::min<size_t>(count, open_.size());
    for (size_t i = 0; i < seen; ++i) {
      visit(open_[i].node);
    }
  }

  // Empties the beam's live nodes.
  template <typename Visit>
  void ForEachLive(Visit visit) {
    std::sort_heap(live_.begin(), live_.end(), Nearer);
    for (const BeamNode& node : live_) {
      if (!visit(node)) {
        break;
      }
    }
    live_.clear();
  }

 private:
  static bool Nearer(const BeamNode& a, const BeamNode& b) {
    return a.distance < b.distance;
  }
  static bool Farther(const BeamNode& a, const BeamNode& b) {
    return a.distance > b.distance;
  }

  std::vector<BeamNode> open_;  // nearest on top
  std::vector<BeamNode> live_;  // farthest on top
  size_t width_ = 0;
};

}  // namespace sextant
