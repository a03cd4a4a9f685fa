// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

#include "index/metric.h"

namespace sextant {

// A point that a source found. `id` points into its segment, so a candidate
// lives no longer than the snapshot it was found in.
struct Candidate {
  float score = 0;
  absl::string_view id;  // encoded
  // Where the point lies, for stages that look at it again.
  uint32_t segment = 0;  // position in Snapshot::segments
  Ordinal row = 0;
};

// Score descending, then id ascending: the order of every answer.
inline bool Better(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.id < b.id;
}

// The best `count`, best first.
inline void KeepBest(size_t count, std::vector<Candidate>* candidates) {
  const size_t kept = std::min(count, candidates->size());
  std::partial_sort(candidates->begin(),
                    candidates->begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates->end(), Better);
  candidates->resize(kept);
}

}  // namespace sextant
