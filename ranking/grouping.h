// SPDX-License-Identifier: Apache-2.0
//
// The best candidates of each group, groups in the order of their best one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace sextant {

// Candidates of one group, best first.
struct CandidateGroup {
  uint32_t key = 0;
  std::vector<uint32_t> candidates;
};

// Takes candidates, best first, and keeps the first `hits_max` of each of the
// first `groups_max` groups. As far as all better candidates were offered, that
// is the exact answer: the groups with the best candidates, and the best of
// each; only where a group has fewer than `hits_max`, worse candidates may
// still belong to it.
//
// Used by one thread.
class GroupCollector {
 public:
  // Both at least 1.
  GroupCollector(size_t groups_max, size_t hits_max)
      : groups_max_(groups_max), hits_max_(hits_max) {}

  // The next best candidate and the groups that it belongs to: none, one, or
  // several distinct ones, in which case new groups begin in their order.
  void Add(uint32_t candidate, std::span<const uint32_t> keys);

  // There are as many groups as wanted ...
  bool has_all_groups() const { return groups_.size() == groups_max_; }
  // ... and each has as many candidates as wanted: further ones change nothing.
  bool is_full() const { return full_groups_ == groups_max_; }

  const std::vector<CandidateGroup>& groups() const { return groups_; }

 private:
  const size_t groups_max_;
  const size_t hits_max_;
  std::vector<CandidateGroup> groups_;
  absl::flat_hash_map<uint32_t, size_t> positions_;  // in groups_, by key
  size_t full_groups_ = 0;
};

}  // namespace sextant
