// SPDX-License-Identifier: Apache-2.0
#include "ranking/grouping.h"

namespace sextant {

void GroupCollector::Add(uint32_t candidate, std::span<const uint32_t> keys) {
  for (const uint32_t key : keys) {
    auto position = positions_.find(key);
    if (position == positions_.end()) {
      if (has_all_groups()) {
        continue;
      }
      position = positions_.emplace(key, groups_.size()).first;
      groups_.push_back({key, {}});
    }
    std::vector<uint32_t>& candidates = groups_[position->second].candidates;
    if (candidates.size() < hits_max_) {
      candidates.push_back(candidate);
      full_groups_ += candidates.size() == hits_max_ ? 1U : 0U;
    }
  }
}

}  // namespace sextant
