// SPDX-License-Identifier: Apache-2.0
#include "engine/grouping_stage.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"

#include "engine/limits.h"
#include "ranking/grouping.h"

namespace sextant {
namespace {

constexpr uint32_t kFirstTimes = 4;
constexpr uint32_t kFirstMin = 64;
constexpr uint32_t kLastDefault = 1000;

FieldValues ValuesOf(const SegmentView& view, uint16_t field, Ordinal row) {
  return view.growing != nullptr ? view.growing->values(field, row)
                                 : view.sealed->column(field)->ValuesOf(row);
}

// Numbers the distinct values of a search.
class ValueNumbers {
 public:
  uint32_t NumberOf(const FieldValue& value) {
    const auto [known, inserted] =
        numbers_.emplace(value, static_cast<uint32_t>(values_.size()));
    if (inserted) {
      values_.push_back(value);
    }
    return known->second;
  }
  const FieldValue& value(uint32_t number) const { return values_[number]; }

 private:
  absl::flat_hash_map<FieldValue, uint32_t> numbers_;
  std::vector<FieldValue> values_;
};

}  // namespace

GroupingRounds RoundsOf(const SearchQuery& query) {
  const Grouping& grouping = *query.grouping;
  const uint32_t wanted =
      (query.offset + query.limit) * std::max(1U, grouping.hits_per_group);
  GroupingRounds rounds;
  rounds.last = grouping.candidates_max != 0 ? grouping.candidates_max
                                             : std::max(kLastDefault, wanted);
  rounds.first =
      std::min(rounds.last, std::max(kFirstMin, kFirstTimes * wanted));
  return rounds;
}

GroupedPage GroupCandidates(const Snapshot& snapshot, const SearchQuery& query,
                            uint16_t field,
                            const std::vector<Candidate>& candidates) {
  ValueNumbers numbers;
  GroupCollector collector(size_t{query.offset} + query.limit,
                           std::max(1U, query.grouping->hits_per_group));
  std::vector<uint32_t> keys;
  for (uint32_t i = 0; i < candidates.size() && !collector.is_full(); ++i) {
    const SegmentView& view = *snapshot.segments[candidates[i].segment];
    keys.clear();
    for (const FieldValue& value : ValuesOf(view, field, candidates[i].row)) {
      keys.push_back(numbers.NumberOf(value));
    }
    collector.Add(i, keys);
  }
  GroupedPage page;
  page.groups_found = collector.groups().size();
  page.has_all_groups = collector.has_all_groups();
  const FieldType type = snapshot.schema->payload_fields[field].type;
  for (size_t i = query.offset; i < collector.groups().size(); ++i) {
    const CandidateGroup& group = collector.groups()[i];
    page.groups.push_back({numbers.value(group.key), type,
                           static_cast<uint32_t>(group.candidates.size())});
    for (const uint32_t candidate : group.candidates) {
      page.candidates.push_back(candidates[candidate]);
    }
  }
  return page;
}

}  // namespace sextant
