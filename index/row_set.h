// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/metric.h"

namespace sextant {

// An immutable set of ordinals of one segment (its dead rows). A changed copy
// shares every untouched page with its origin, so that marking one row of a
// million costs kilobytes, and a search reads it without a lock.
//
// Immutable, thread-safe. Ordinals past capacity() are not members.
class RowSet {
 public:
  RowSet() = default;  // empty, capacity 0

  // A copy that also holds `rows`, with room for ordinals below `capacity`
  // (capacity may grow, not shrink). Duplicates are harmless.
  RowSet With(std::span<const Ordinal> rows, uint32_t capacity) const;

  bool Contains(Ordinal row) const {
    const uint32_t page = row / kPageRows;
    if (page >= pages_.size() || pages_[page] == nullptr) {
      return false;
    }
    const uint32_t bit = row % kPageRows;
    return (((*pages_[page])[bit / 64] >> (bit % 64)) & 1U) != 0;
  }
  uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  uint32_t capacity() const { return capacity_; }

  // One bit a row, least significant first, ceil(capacity / 64) words; empty
  // when no row is a member.
  std::vector<uint64_t> ToWords() const;
  // One bit a row, least significant first, ceil(capacity / 8) bytes; empty
  // when no row is a member.
  std::string ToBytes() const;
  // kDataLoss when the size does not fit or a bit past `capacity` is set.
  static absl::StatusOr<RowSet> FromBytes(absl::string_view bytes,
                                          uint32_t capacity);

 private:
  static constexpr uint32_t kPageRows = 32768;
  using Page = std::array<uint64_t, kPageRows / 64>;
  std::vector<std::shared_ptr<const Page>> pages_;  // null = none set
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace sextant
