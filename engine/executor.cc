// SPDX-License-Identifier: Apache-2.0
#include "engine/executor.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "engine/filter_match.h"
#include "index/distance.h"

namespace sextant {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// A candidate of the whole collection; `id` points into its segment.
struct Candidate {
  float score = 0;
  absl::string_view id;
};

// Score descending, then id ascending: the order of every answer.
bool Better(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.id < b.id;
}

// What the query's filter lets through in each segment; nothing when it has no
// filter.
using Matches = std::optional<std::vector<SegmentMatch>>;

std::vector<SegmentFacts> FactsOf(const Snapshot& snapshot, uint16_t field,
                                  const Matches& matches) {
  std::vector<SegmentFacts> facts;
  facts.reserve(snapshot.segments.size());
  for (size_t i = 0; i < snapshot.segments.size(); ++i) {
    const SegmentView* view = snapshot.segments[i].get();
    SegmentFacts segment;
    if (matches.has_value()) {
      segment.matching = (*matches)[i].count();
      segment.window = (*matches)[i].window;
      segment.ranks = (*matches)[i].ranks;
    }
    segment.number = view->number();
    segment.dead = view->dead.count();
    segment.growing = view->growing != nullptr;
    if (segment.growing) {
      segment.rows = view->field_rows[field];
    } else {
      const VectorIndex& index = view->sealed->field(field);
      segment.rows = index.rows();
      segment.has_graph = index.has_graph();
      segment.recall_curve = index.recall_curve();
      segment.has_binary_codes = index.encoding() == Encoding::kBinary;
      segment.has_codes = index.has_codes() && !segment.has_binary_codes;
      segment.scores_by_codes = index.scores_by_codes();
    }
    facts.push_back(segment);
  }
  return facts;
}

absl::StatusOr<std::vector<float>> QueryVector(const SearchTarget& target,
                                               const DenseSource& source,
                                               uint16_t field,
                                               const RequestContext& context) {
  std::vector<float> vector;
  if (const auto* id = std::get_if<PointId>(&source.target)) {
    context.AboutToWait();
    ASSIGN_OR_RETURN_WITH(vector,
                          target.reader->ReadVector(
                              target.snapshot->store_view.get(), *id, field),
                          "sources[0].dense.stored_point");
  } else {
    vector = std::get<std::vector<float>>(source.target);
  }
  if (target.schema->vector_fields[field].metric == Metric::kCosine) {
    CHECK(Normalize(vector)) << "a zero vector passed validation";
  }
  return vector;
}

// What the searches of all segments have in common.
struct DenseSearch {
  const DensePlan& plan;
  std::span<const float> query;
  const RequestContext& context;
};

// And what is its own.
struct SegmentSearch {
  const SegmentView& view;
  const SegmentPlan& plan;
  const SegmentMatch* match;  // null without a filter

  // `bits` is room for the filter, which outlives it.
  RowFilter Filter(std::vector<uint64_t>& bits) const {
    if (match == nullptr) {
      return view.dead;
    }
    bits = match->rows.ToWords(view.rows);
    return RowFilter::Among(view.dead, bits);
  }
};

absl::Status SearchSealed(const DenseSearch& search,
                          const SegmentSearch& segment, SearchMethod method,
                          TopK& top, SearchWork& work) {
  const VectorIndex& index = segment.view.sealed->field(search.plan.field);
  std::vector<uint64_t> bits;
  switch (method) {
    case SearchMethod::kScanMatches:
      return index.ScanOrdinals(search.query, segment.match->rows.ToOrdinals(),
                                search.context, top, work);
    case SearchMethod::kEstimateMatches:
      return index.ScanOrdinalsByCodes(search.query,
                                       segment.match->rows.ToOrdinals(),
                                       search.context, top, work);
    case SearchMethod::kWindow:
      return segment.match->window
          ->Search(search.query, segment.match->ranks, segment.plan.window,
                   {segment.view.dead, search.context, top, work})
          .status();
    case SearchMethod::kCodeScan:
      return index.ScanCodes(search.query, segment.Filter(bits), search.context,
                             top, work);
    case SearchMethod::kGraph:
      return index.Search(search.query, segment.plan.effort,
                          segment.Filter(bits), search.context, top, work);
    case SearchMethod::kScan:
      return index.Scan(search.query, segment.Filter(bits), search.context, top,
                        work);
    case SearchMethod::kNone:
      break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ScoredRow>> SearchSegment(
    const DenseSearch& search, const SegmentSearch& segment, SearchWork& work) {
  const SegmentView& view = segment.view;
  const SearchMethod method = segment.plan.method;
  TopK top(search.plan.candidates, view.growing.get());
  if (method == SearchMethod::kNone) {
    return top.TakeSorted();
  }
  if (view.growing != nullptr) {
    std::vector<uint64_t> bits;
    const uint16_t field = search.plan.field;
    RETURN_IF_ERROR(view.growing->field(field).Scan(
        search.query, view.field_rows[field], segment.Filter(bits),
        search.context, top, work));
    return top.TakeSorted();
  }
  RETURN_IF_ERROR(SearchSealed(search, segment, method, top, work));
  const bool is_starved =
      segment.match != nullptr && method == SearchMethod::kGraph &&
      top.size() < std::min<uint64_t>(top.k(), segment.match->count());
  if (is_starved) {
    // The graph did not lead to them all.
    top = TopK(search.plan.candidates);
    RETURN_IF_ERROR(
        SearchSealed(search, segment, SearchMethod::kScanMatches, top, work));
  }
  return top.TakeSorted();
}

absl::StatusOr<std::vector<Candidate>> RunDense(const Snapshot& snapshot,
                                                const DenseSearch& search,
                                                const Matches& matches,
                                                StageTiming* timing) {
  const SteadyClock::time_point start = SteadyClock::now();
  const DensePlan& plan = search.plan;
  SearchWork work;
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < snapshot.segments.size(); ++i) {
    const SegmentView& view = *snapshot.segments[i];
    ASSIGN_OR_RETURN(
        const std::vector<ScoredRow> hits,
        SearchSegment(search,
                      {view, plan.segments[i],
                       matches.has_value() ? &(*matches)[i] : nullptr},
                      work));
    for (const ScoredRow& hit : hits) {
      candidates.push_back({hit.score, view.id(hit.row)});
    }
  }
  const size_t kept =
      std::min(candidates.size(), static_cast<size_t>(plan.candidates));
  std::partial_sort(candidates.begin(),
                    candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates.end(), Better);
  candidates.resize(kept);
  timing->candidates_in = snapshot.state.live_count;
  timing->candidates_out = kept;
  timing->distances = work.distances;
  timing->seconds = SecondsSince(start);
  return candidates;
}

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

std::vector<Hit> BareHits(const SearchTarget& target,
                          const std::vector<Candidate>& page) {
  std::vector<Hit> hits(page.size());
  for (size_t i = 0; i < page.size(); ++i) {
    hits[i].score = page[i].score;
    hits[i].point.id = DecodeId(target.schema->id_kind, page[i].id);
  }
  return hits;
}

// Reads the projected parts of `hits` from the store.
absl::Status FillIn(const SearchTarget& target,
                    const std::vector<Candidate>& page,
                    const SearchQuery& query, const RequestContext& context,
                    std::vector<Hit>* hits) {
  std::vector<absl::string_view> ids;
  ids.reserve(page.size());
  for (const Candidate& candidate : page) {
    ids.push_back(candidate.id);
  }
  uint64_t bytes = 0;
  RETURN_IF_ERROR(target.reader->ReadEach(
      {target.snapshot->store_view.get(), ids, query.projection}, context,
      [&](size_t i, Point point) {
        bytes += SizeBytes(point);
        (*hits)[i].point = std::move(point);
        return bytes <= query.fetch_bytes_max;
      }));
  if (bytes > query.fetch_bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the hits are larger than ", query.fetch_bytes_max,
                     " bytes; ask for fewer hits, or for less of each"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Hit>> Fetch(const SearchTarget& target,
                                       const std::vector<Candidate>& page,
                                       const SearchQuery& query,
                                       const RequestContext& context,
                                       StageTiming* timing) {
  const SteadyClock::time_point start = SteadyClock::now();
  std::vector<Hit> hits = BareHits(target, page);
  if (!query.projection.payload && !query.projection.any_vectors()) {
    return hits;
  }
  context.AboutToWait();
  RETURN_IF_ERROR(FillIn(target, page, query, context, &hits));
  timing->name = "fetch";
  timing->candidates_in = page.size();
  timing->candidates_out = page.size();
  timing->seconds = SecondsSince(start);
  return hits;
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
  const SteadyClock::time_point start = SteadyClock::now();
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
  timing.seconds = SecondsSince(start);
  stages->push_back(std::move(timing));
  return Matches(std::move(matches));
}

}  // namespace

absl::StatusOr<SearchResult> ExecuteSearch(const SearchTarget& target,
                                           const SearchQuery& query,
                                           const RequestContext& context) {
  const SteadyClock::time_point start = SteadyClock::now();
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
                   Fetch(target, candidates, query, context, &fetch));
  if (!fetch.name.empty()) {
    result.stages.push_back(std::move(fetch));
  }
  result.seconds = SecondsSince(start);
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
