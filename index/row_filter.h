// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

#include "index/metric.h"
#include "index/row_set.h"

namespace sextant {

// Which rows of a segment a search may answer with: those that are alive and,
// where a filter was given, let through by it. A filter is either a set of
// ordinals or a window of ranks: places in the order of one payload field.
//
// A view: what it refers to outlives it. Thread-safe.
class RowFilter {
 public:
  // Every row that is alive.
  RowFilter(const RowSet& dead)
      : dead_(&dead) {
  }  // NOLINT(google-explicit-constructor): a set of dead rows is one

  // And has its bit set; bits past the end count as not set.
  static RowFilter Among(const RowSet& dead, std::span<const uint64_t> bits) {
    RowFilter filter(dead);
    filter.bits_ = bits;
    filter.kind_ = Kind::kBits;
    return filter;
  }

  // And has its rank (by ordinal) in [first, first + count).
  static RowFilter Ranked(const RowSet& dead, std::span<const uint32_t> ranks,
                          uint32_t first, uint32_t count) {
    RowFilter filter(dead);
    filter.ranks_ = ranks;
    filter.first_ = first;
    filter.rank_count_ = count;
    filter.kind_ = Kind::kRanks;
    return filter;
  }

  // True when no row is left out.
  bool is_all() const { return kind_ == Kind::kAlive && dead_->empty(); }

  bool Allows(Ordinal row) const {
    return IsLetThrough(row) && !dead_->Contains(row);
  }

 private:
  enum class Kind : uint8_t { kAlive, kBits, kRanks };

  bool IsLetThrough(Ordinal row) const {
    switch (kind_) {
      case Kind::kBits:
        return row / 64 < bits_.size() &&
               ((bits_[row / 64] >> (row % 64)) & 1U) != 0;
      case Kind::kRanks:
        return row < ranks_.size() && ranks_[row] - first_ < rank_count_;
      default:
        return true;
    }
  }

  const RowSet* dead_;
  Kind kind_ = Kind::kAlive;
  uint32_t first_ = 0;
  uint32_t rank_count_ = 0;
  std::span<const uint64_t> bits_;
  std::span<const uint32_t> ranks_;
};

}  // namespace sextant
