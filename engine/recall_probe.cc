// SPDX-License-Identifier: Apache-2.0
#include "engine/recall_probe.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "filters/filter_text.h"

namespace sextant {
namespace {

// Exact best that a probe compares; the recall of a page of thousands is that
// of its beginning, or nearly.
constexpr uint32_t kDepthMax = 100;
// What an older probe weighs against the next.
constexpr double kDecay = 0.98;
// Of fewer hits the recall of filtered walks is not told.
constexpr double kFilteredHitsMin = 100;

size_t Numbers(const SearchQuery& query) {
  const auto& source = std::get<DenseSource>(query.sources.front());
  const auto* vector = std::get_if<std::vector<float>>(&source.target);
  return vector == nullptr ? 0 : vector->size();
}

}  // namespace

void RecallProbe::Keep(const SearchQuery& query) {
  SearchQuery bare;
  bare.sources = query.sources;
  bare.limit = std::min(query.limit + query.offset, kDepthMax);
  bare.recall_target = query.recall_target;
  if (query.filter.has_value()) {
    if (ToString(*query.filter).size() > kFilterBytesMax) {
      return;
    }
    bare.filter = query.filter;
  }
  if (!mutex_.TryLock()) {
    return;
  }
  const auto& source = std::get<DenseSource>(bare.sources.front());
  std::deque<SearchQuery>& queries = kept_[source.field];
  const size_t numbers = std::max<size_t>(1, Numbers(bare));
  const size_t room =
      std::clamp<size_t>(kFieldNumbersMax / numbers, 1, kFieldQueriesMax);
  while (queries.size() >= room) {
    queries.pop_front();
  }
  queries.push_back(std::move(bare));
  mutex_.Unlock();
}

std::optional<SearchQuery> RecallProbe::Take() {
  const MutexLock lock(&mutex_);
  if (kept_.empty()) {
    return std::nullopt;
  }
  auto next = kept_.upper_bound(last_field_);
  if (next == kept_.end()) {
    next = kept_.begin();
  }
  SearchQuery query = std::move(next->second.back());
  last_field_ = next->first;
  next->second.pop_back();
  if (next->second.empty()) {
    kept_.erase(next);
  }
  return query;
}

void RecallProbe::Record(uint64_t hits, uint64_t found, bool filtered_walk) {
  const MutexLock lock(&mutex_);
  ++stats_.probes;
  stats_.hits += hits;
  stats_.found += found;
  stats_.recent_hits = stats_.recent_hits * kDecay + static_cast<double>(hits);
  stats_.recent_found =
      stats_.recent_found * kDecay + static_cast<double>(found);
  if (filtered_walk) {
    stats_.filtered_hits =
        stats_.filtered_hits * kDecay + static_cast<double>(hits);
    stats_.filtered_found =
        stats_.filtered_found * kDecay + static_cast<double>(found);
    if (stats_.filtered_hits >= kFilteredHitsMin) {
      filtered_recall_ =
          static_cast<float>(stats_.filtered_found / stats_.filtered_hits);
    }
  }
}

RecallStats RecallProbe::stats() const {
  const MutexLock lock(&mutex_);
  return stats_;
}

}  // namespace sextant
