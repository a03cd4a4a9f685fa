// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

#include "index/metric.h"
#include "index/row_set.h"

namespace sextant {

// Which rows of a segment a search may answer with: those that are alive and,
// where a filter was given, let through by it. A filter is either a set of
// ordinals or a window of ranks: the places of rows in the order of one payload
// field.
//
// A view: what it refers to outlives it. Thread-safe.
class RowFilter {
 public:
  // Every row that is alive.
  // NOLINTNEXTLINE(google-explicit-constructor): a set of dead rows is one
  RowFilter(const RowSet& dead) : dead_(&dead) {}

  // And has the bit of its ordinal set; bits past the end count as not set.
  static RowFilter Among(const RowSet& dead, std::span<const uint64_t> bits) {
    RowFilter filter(dead);
    filter.bits_ = bits;
    filter.kind_ = Kind::kBits;
    return filter;
  }

  // And has a rank in [first, first + count). `ranks` is by row.
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

  // A row that is its own ordinal. Where the filter is of ranks, `ranks` are by
  // ordinal then.
  bool Allows(Ordinal row) const {
    if (kind_ == Kind::kRanks) {
      return row < ranks_.size() && ranks_[row] - first_ < rank_count_ &&
             !dead_->Contains(row);
    }
    return AllowsOrdinal(row);
  }

  // A row of an index whose rows have these ordinals.
  bool Allows(uint32_t row, const Ordinal* ordinals) const {
    if (kind_ == Kind::kRanks) {
      // Most rows are left out by their rank; the ordinal is not read then.
      return row < ranks_.size() && ranks_[row] - first_ < rank_count_ &&
             (dead_->empty() || !dead_->Contains(ordinals[row]));
    }
    return AllowsOrdinal(ordinals[row]);
  }

 private:
  enum class Kind : uint8_t { kAlive, kBits, kRanks };

  bool AllowsOrdinal(Ordinal ordinal) const {
    const bool let_through =
        kind_ == Kind::kAlive ||
        (ordinal / 64 < bits_.size() &&
         ((bits_[ordinal / 64] >> (ordinal % 64)) & 1U) != 0);
    return let_through && !dead_->Contains(ordinal);
  }

  const RowSet* dead_;
  Kind kind_ = Kind::kAlive;
  uint32_t first_ = 0;
  uint32_t rank_count_ = 0;
  std::span<const uint64_t> bits_;
  std::span<const uint32_t> ranks_;
};

}  // namespace sextant
