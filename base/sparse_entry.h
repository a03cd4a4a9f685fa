// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

namespace sextant {

// One entry of a sparse vector, as it lies in records and in memory. Weights
// are finite and may be negative.
struct SparseEntry {
  uint32_t index = 0;
  float weight = 0;
  friend bool operator==(const SparseEntry&, const SparseEntry&) = default;
};
static_assert(sizeof(SparseEntry) == 8, "entries are written as they are");

}  // namespace sextant
