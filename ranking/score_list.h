// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace sextant {

// What one source of a search says about a set of candidates. Candidates are
// numbered from 0 by ascending id, the same way for all sources of a search, so
// that "the lower number first" breaks every tie the same way.
struct ScoreList {
  // Neither the source nor anybody else knows what the source would say.
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  explicit ScoreList(size_t candidates = 0)
      : scores(candidates, kUnknown), listed(candidates, false) {}

  // By candidate, finite or kUnknown; bigger is better.
  std::vector<double> scores;
  // By candidate: it is one of those that the source found itself. Statistics
  // and ranks are those of the listed ones. A candidate that is not listed may
  // still have a score: its true one, computed because another source found it.
  // All listed ones have a score.
  std::vector<bool> listed;

  size_t size() const { return scores.size(); }
};

// The listed candidates, best first, equal scores by number. O(n log n).
std::vector<uint32_t> ListedBestFirst(const ScoreList& list);

// Leaves the `count` best candidates listed. Scores stay.
void KeepBestListed(size_t count, ScoreList* list);

}  // namespace sextant
