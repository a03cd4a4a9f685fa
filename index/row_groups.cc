// SPDX-License-Identifier: Apache-2.0
#include "index/row_groups.h"

#include <cstring>

#include "base/checksum.h"

namespace sextant {

RowGroups::RowGroups(const VectorIndexInput& input)
    : input_(input), vector_bytes_(input.shape.dimension * sizeof(float)) {
  const auto rows = static_cast<uint32_t>(input.rows.size());
  group_of_.resize(rows);
  by_hash_.reserve(rows);
  for (uint32_t row = 0; row < rows; ++row) {
    const float* vector = input.rows[row].vector;
    for (uint64_t hash = Hash(vector);; ++hash) {
      const auto [slot, is_new] = by_hash_.try_emplace(hash, groups());
      if (is_new) {
        firsts_.push_back(row);
      } else if (std::memcmp(input.rows[firsts_[slot->second]].vector, vector,
                             vector_bytes_) != 0) {
        continue;
      }
      group_of_[row] = slot->second;
      break;
    }
  }
}

std::optional<uint32_t> RowGroups::Find(const float* vector) const {
  for (uint64_t hash = Hash(vector);; ++hash) {
    const auto slot = by_hash_.find(hash);
    if (slot == by_hash_.end()) {
      return std::nullopt;
    }
    if (std::memcmp(input_.rows[firsts_[slot->second]].vector, vector,
                    vector_bytes_) == 0) {
      return slot->second;
    }
  }
}

uint64_t RowGroups::Hash(const float* vector) const {
  return Checksum64({reinterpret_cast<const char*>(vector), vector_bytes_});
}

}  // namespace sextant
