// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace sextant {

// The two forms of a search's candidate list. Both hold nodes by distance
// (smaller is better), hand out each node once for expansion, nearest first,
// and keep the `width` nearest live nodes; dead nodes are held for expansion
// but do not count. Same answers, different costs.
//
// Owned by one thread, reused from search to search: memory follows the nodes
// met, never the width that a client asked for.

struct BeamNode {
  float distance = 0;
  uint32_t node = 0;
};

// A sorted array. Fastest up to some hundred entries.
class SortedBeam {
 public:
  static constexpr uint32_t kMaxNodes = 1U << 30;

  void Start(uint32_t width) {
    width_ = width;
    live_ = 0;
    size_ = 0;
    next_ = 0;
  }

  // A node at this distance or farther has no place any more.
  float bound() const {
    return live_ < width_ ? std::numeric_limits<float>::infinity()
                          : entries_[size_ - 1].distance;
  }

  void Insert(float distance, uint32_t node, bool live) {
    const size_t low = PlaceOf(distance);
    if (size_ == entries_.size()) {
      entries_.resize(std::max<size_t>(256, 2 * size_));
    }
    std::memmove(&entries_[low + 1], &entries_[low],
                 (size_ - low) * sizeof(Entry));
    entries_[low] = {distance, live ? node : node | kDead};
    ++size_;
    next_ = std::min(next_, low);
    if (live && ++live_ > width_) {
      DropLast();
    }
  }

  // The nearest node not handed out yet; false when there is none.
  bool Next(uint32_t* node) {
    if (next_ >= size_) {
      return false;
    }
    *node = entries_[next_].node & kNodeMask;
    entries_[next_].node |= kExpanded;
    while (++next_ < size_ && (entries_[next_].node & kExpanded) != 0) {
    }
    return true;
  }

  // Up to `count` nodes that Next() may hand out soon, for prefetching.
  template <typename Visit>
  void Peek(uint32_t count, Visit visit) const {
    for (size_t i = next_; i < size_ && count > 0; ++i) {
      if ((entries_[i].node & kExpanded) == 0) {
        visit(entries_[i].node & kNodeMask);
        --count;
      }
    }
  }

  // Live nodes, nearest first, until `visit` returns false.
  template <typename Visit>
  void ForEachLive(Visit visit) {
    for (size_t i = 0; i < size_; ++i) {
      if ((entries_[i].node & kDead) == 0 &&
          !visit(
              BeamNode{entries_[i].distance, entries_[i].node & kNodeMask})) {
        return;
      }
    }
  }

 private:
  static constexpr uint32_t kExpanded = 1U << 31;
  static constexpr uint32_t kDead = 1U << 30;
  static constexpr uint32_t kNodeMask = kDead - 1;

  struct Entry {
    float distance = 0;
    uint32_t node = 0;  // and the two flags
  };

  // Behind all entries that are as near. Without branches: which way a step
  // goes is chance.
  size_t PlaceOf(float distance) const {
    const Entry* first = entries_.data();
    size_t count = size_;
    while (count > 1) {
      const size_t half = count / 2;
      first += half & (size_t{0} - static_cast<size_t>(
                                       first[half - 1].distance <= distance));
      count -= half;
    }
    if (count == 1) {
      first += static_cast<size_t>(first->distance <= distance);
    }
    return static_cast<size_t>(first - entries_.data());
  }

  // Once full, the last entry is live: it is the bound.
  void DropLast() {
    --live_;
    --size_;
    while (size_ > 0 && (entries_[size_ - 1].node & kDead) != 0) {
      --size_;
    }
    next_ = std::min(next_, size_);
  }

  std::vector<Entry> entries_;
  size_t size_ = 0;
  size_t next_ = 0;  // first entry that is not expanded
  size_t width_ = 0;
  size_t live_ = 0;
};

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
