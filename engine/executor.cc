// SPDX-License-Identifier: Apache-2.0
#include "engine/executor.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "engine/candidate.h"
#include "engine/dense_search.h"
#include "engine/fetch_hits.h"
#include "engine/filter_match.h"
#include "engine/stage_clock.h"

namespace sextant {
namespace {

// Candidates are best first.
void DropBelow(double min_score, std::vector<Candidate>* candidates) {
  const auto first = std::partition_point(
      candidates->begin(), candidates->end(), [min_score](const Candidate& c) {
        return static_cast<double>(c.score) >= min_score;
      });
  candidates->erase(first, candidates->end());
}

// Drops the point that was searched by, then cuts out the page.
void CutPage(const SearchQuery& query, std::vector<Candidate>* candidates) {
  const auto& source = std::get<DenseSource>(query.sources.front());
  if (const auto* id = std::get_if<PointId>(&source.target)) {
    const std::string encoded = EncodeId(*id);
    candidates->erase(
        std::remove_if(candidates->begin(), candidates->end(),
                       [&](const Candidate& c) { return c.id == encoded; }),
        candidates->end());
  }
  const size_t first =
      std::min(candidates->size(), static_cast<size_t>(query.offset));
  candidates->erase(candidates->begin(),
                    candidates->begin() + static_cast<std::ptrdiff_t>(first));
  if (candidates->size() > query.limit) {
    candidates->resize(query.limit);
  }
}

// Windows answer searches for a share of the nearest, not for all of them or
// by a given effort.
std::optional<uint16_t> WindowedField(const SearchTarget& target,
                                      const SearchQuery& query,
                                      uint16_t field) {
  const auto& source = std::get<DenseSource>(query.sources.front());
  const double recall_target = RecallTarget(query, source, target.defaults);
  return recall_target > 0 && recall_target < 1 ? std::optional<uint16_t>(field)
                                                : std::nullopt;
}

absl::StatusOr<Matches> FindMatches(const SearchTarget& target,
                                    const SearchQuery& query, uint16_t field,
                                    const RequestContext& context,
                                    std::vector<StageTiming>* stages) {
  if (!query.filter.has_value()) {
    return Matches();
  }
  const StageClock clock;
  ASSIGN_OR_RETURN(const BoundFilter filter,
                   BindFilterTo(*target.schema, *query.filter));
  ASSIGN_OR_RETURN(std::vector<SegmentMatch> matches,
                   MatchSegments(filter, *target.snapshot,
                                 WindowedField(target, query, field), context));
  StageTiming timing;
  timing.name = "filter";
  timing.candidates_in = target.snapshot->state.live_count;
  for (const SegmentMatch& match : matches) {
    timing.candidates_out += match.count();
  }
  timing.seconds = clock.seconds();
  stages->push_back(std::move(timing));
  return Matches(std::move(matches));
}

}  // namespace

absl::StatusOr<SearchResult> ExecuteSearch(const SearchTarget& target,
                                           const SearchQuery& query,
                                           const RequestContext& context) {
  const StageClock clock;
  RETURN_IF_ERROR(context.Check());
  ASSIGN_OR_RETURN(const uint16_t field, ValidateQuery(*target.schema, query));
  const auto& source = std::get<DenseSource>(query.sources.front());
  ASSIGN_OR_RETURN(const std::vector<float> vector,
                   QueryVector(target, source, field, context));
  SearchResult result;
  ASSIGN_OR_RETURN(const Matches matches,
                   FindMatches(target, query, field, context, &result.stages));
  const Plan plan = PlanSearch(query, field, target.defaults,
                               FactsOf(*target.snapshot, field, matches));
  result.applied_seq = target.snapshot->state.applied_seq;
  result.expected_recall = plan.dense.expected_recall;
  StageTiming dense;
  dense.name = absl::StrCat("dense ", target.schema->vector_fields[field].name);
  ASSIGN_OR_RETURN(std::vector<Candidate> candidates,
                   RunDense(*target.snapshot, {plan.dense, vector, context},
                            matches, &dense));
  result.stages.push_back(std::move(dense));
  if (query.min_score.has_value()) {
    DropBelow(*query.min_score, &candidates);
  }
  CutPage(query, &candidates);
  RETURN_IF_ERROR(context.Check());
  StageTiming fetch;
  ASSIGN_OR_RETURN(result.hits,
                   FetchHits(target, candidates, query, context, &fetch));
  if (!fetch.name.empty()) {
    result.stages.push_back(std::move(fetch));
  }
  result.seconds = clock.seconds();
  if (query.explain || result.seconds >= query.plan_after_seconds) {
    result.plan = plan.ToString(*target.schema);
  }
  return result;
}

std::vector<absl::StatusOr<SearchResult>> ExecuteSearches(
    const SearchTarget& target, std::span<const SearchQuery> queries,
    const RequestContext& context) {
  std::vector<absl::StatusOr<SearchResult>> results;
  results.reserve(queries.size());
  for (const SearchQuery& query : queries) {
    results.push_back(ExecuteSearch(target, query, context));
  }
  return results;
}

}  // namespace sextant
