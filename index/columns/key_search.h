// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

#include "index/columns/field_value.h"

namespace sextant {

// Sorted keys in a packed array, each as its distance from the smallest in 1,
// 2, 4 or 8 bytes, under a static tree of every 16th, 256th, ... key. A search
// reads one or two cache lines of each level, of which all but the last two are
// in cache.
//
// Reads bytes it does not own. Immutable, thread-safe.
class KeySearch {
 public:
  KeySearch() = default;
  // `packed` holds `size` distances of `width` bytes from `base`, the first
  // key. The caller checks that they ascend, and that none reaches past the
  // largest key, before it searches.
  KeySearch(absl::string_view packed, uint32_t size, uint32_t width,
            NumberKey base);

  uint32_t size() const { return size_; }
  NumberKey base() const { return base_; }
  NumberKey KeyAt(uint32_t position) const;
  // Number of keys < key.
  uint32_t LowerBound(NumberKey key) const;
  size_t memory_bytes() const;

 private:
  uint32_t size_ = 0;
  uint32_t width_ = 8;
  NumberKey base_ = 0;
  const char* packed_ = nullptr;
  // levels_[0] samples the keys, levels_[i + 1] samples levels_[i]. As
  // distances from base_.
  std::vector<std::vector<uint64_t>> levels_;
};

}  // namespace sextant
