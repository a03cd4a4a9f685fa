// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"

#include "base/mutex.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/validate_query.h"

namespace sextant {

// What probes of a collection found, since it was opened.
struct RecallStats {
  uint64_t probes = 0;
  uint64_t hits = 0;   // exact best of all probes
  uint64_t found = 0;  // those of them that the searches found
  // The same, with older probes counting for less and less.
  double recent_hits = 0;
  double recent_found = 0;
  // The same of searches that walked a graph for points of a filter, whose
  // recall nobody can foretell.
  double filtered_hits = 0;
  double filtered_found = 0;
};

// A few of the searches that clients make of a collection, to be repeated in
// the background and compared with exact answers: recall as the clients get it,
// which the calibration of a segment, made of its own rows, only foretells.
//
// Owned by its collection. Thread-safe. A search never waits here: what it
// cannot leave at once is not taken. Holds query vectors, never payloads or
// answers, and few: some per vector field, and not many bytes.
class RecallProbe {
 public:
  // Takes one of `every` searches; 0 = none.
  explicit RecallProbe(uint32_t every) : every_(every) {}

  // After a search that was answered. Exact ones are of no interest; nor are
  // those by several sources, whose recall is not defined.
  void Offer(const SearchQuery& query, const SearchResult& result) {
    if (every_ != 0 &&
        searches_.fetch_add(1, std::memory_order_relaxed) % every_ == 0 &&
        result.expected_recall < 1 && IsPlainDense(query)) {
      Keep(query);
    }
  }

  // A search to repeat, the newest of a field, one field after another: bare
  // of everything but what decides which points it finds.
  std::optional<SearchQuery> Take();

  // `found` of the `hits` best were in the answer; whether the search walked a
  // graph for points of a filter.
  void Record(uint64_t hits, uint64_t found, bool filtered_walk = false);
  RecallStats stats() const;
  // The recall of such walks, as probes found it; 0 while they were few.
  double filtered_recall() const {
    return double{filtered_recall_.load(std::memory_order_relaxed)};
  }

 private:
  static constexpr size_t kFieldQueriesMax = 8;
  static constexpr size_t kFieldNumbersMax = size_t{64} << 10U;
  // A search with a longer filter (as text) is not taken.
  static constexpr size_t kFilterBytesMax = 4096;

  void Keep(const SearchQuery& query);

  const uint32_t every_;
  std::atomic<uint64_t> searches_{0};
  std::atomic<float> filtered_recall_{0};

  mutable Mutex mutex_;
  // By the field's name in the request; the oldest first.
  std::map<std::string, std::deque<SearchQuery>> kept_ ABSL_GUARDED_BY(mutex_);
  std::string last_field_ ABSL_GUARDED_BY(mutex_);
  RecallStats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
