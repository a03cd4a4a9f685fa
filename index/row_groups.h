// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "index/vector_index_builder.h"

namespace sextant {

// The rows of a build, grouped by equal vectors (bit by bit). Real data repeats
// itself: a graph has one node for each group.
//
// Reads the input's vectors, which outlive it. Immutable, thread-safe.
class RowGroups {
 public:
  explicit RowGroups(const VectorIndexInput& input);

  // Groups are numbered by their first row.
  uint32_t groups() const { return static_cast<uint32_t>(firsts_.size()); }
  uint32_t group_of(uint32_t row) const { return group_of_[row]; }
  uint32_t first_row(uint32_t group) const { return firsts_[group]; }
  // The group with this vector, if any row has it.
  std::optional<uint32_t> Find(const float* vector) const;

 private:
  uint64_t Hash(const float* vector) const;

  const VectorIndexInput& input_;
  size_t vector_bytes_;
  std::vector<uint32_t> group_of_;  // by row
  std::vector<uint32_t> firsts_;    // by group
  // Hash to group; a colliding group moves on to the next free number.
  absl::flat_hash_map<uint64_t, uint32_t> by_hash_;
};

}  // namespace sextant
