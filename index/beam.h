// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "index/stop_rule.h"

namespace sextant {

// A search's candidate list. Its two forms, this and heap_beam.h, both hold
// nodes by distance (smaller is better), hand out each node once for expansion,
// nearest first, and keep the `width` nearest live nodes; dead nodes are held
// for expansion but do not count. Same answers, different costs.
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

  void Start(uint32_t width, const StopRule& rule = {}) {
    rule_ = rule;
    limit_ = std::numeric_limits<float>::infinity();
    useful_limit_ = rule.UsefulLimit();
    kth_ = 0;
    width_ = width;
    live_ = 0;
    size_ = 0;
    next_ = 0;
  }

  // A node at this distance or farther has no place any more.
  float bound() const {
    return live_ < width_ ? limit_ : entries_[size_ - 1].distance;
  }

  void Insert(float distance, uint32_t node, bool live) {
    const size_t low = PlaceOf(distance);
    if (size_ == entries_.size()) {
      entries_.resize(std::max<size_t>(256, 2 * size_));
    }
    Entry* const place = entries_.data() + low;
    std::memmove(place + 1, place, (size_ - low) * sizeof(Entry));
    *place = {distance, live ? node : node | kDead};
    ++size_;
    next_ = std::min(next_, low);
    live_ += live ? 1U : 0U;
    if (live_ >= width_) {
      DropPastWidth();
    }
    if (rule_.is_set()) {
      Tighten(low, live);
    }
  }

  // The nearest node not handed out yet; false when there is none.
  bool Next(uint32_t* node) {
    if (next_ >= size_ ||
        (entries_[next_].distance > useful_limit_ && live_ >= rule_.k)) {
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
  void DropPastWidth() {
    if (live_ > width_) {
      --live_;
      --size_;
    }
    while (!IsLive(size_ - 1)) {
      --size_;
    }
    next_ = std::min(next_, size_);
  }

  bool IsLive(size_t place) const {
    return (entries_[place].node & kDead) == 0;
  }

  // After an insertion: finds the k-th live entry and drops what is too far
  // behind it.
  void Tighten(size_t inserted, bool live) {
    if (live_ < rule_.k) {
      return;
    }
    if (live && live_ == rule_.k) {
      kth_ = size_ - 1;  // or the last live entry before
    } else if (inserted > kth_) {
      return;
    } else if (!live) {
      ++kth_;
      return;
    }
    while (!IsLive(kth_)) {
      --kth_;
    }
    limit_ =
        rule_.Limit(entries_[kth_].distance, entries_[kth_].node & kNodeMask);
    for (; entries_[size_ - 1].distance > limit_; --size_) {
      live_ -= IsLive(size_ - 1) ? 1U : 0U;
    }
    next_ = std::min(next_, size_);
  }

  StopRule rule_;
  float limit_ = 0;  // of the rule
  float useful_limit_ = StopRule::kNever;
  size_t kth_ = 0;  // place of the k-th live entry, once there is one
  std::vector<Entry> entries_;
  size_t size_ = 0;
  size_t next_ = 0;  // first entry that is not expanded
  size_t width_ = 0;
  size_t live_ = 0;
};

}  // namespace sextant
