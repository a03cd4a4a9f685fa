// SPDX-License-Identifier: Apache-2.0
#include "engine/dense_search.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "engine/segment_hits.h"
#include "engine/stage_clock.h"
#include "index/distance.h"
#include "ranking/score_list.h"

namespace sextant {
namespace {

// And what is its own.
struct SegmentSearch {
  const SegmentView& view;
  const SegmentPlan& plan;
  const SegmentMatch* match;  // null without a filter
  VectorQuery query;

  // `bits` is room for the filter, which outlives it.
  RowFilter Filter(std::vector<uint64_t>& bits) const {
    return RowsToFind(view, match, bits);
  }
};

absl::Status SearchSealed(const DenseSearch& search,
                          const SegmentSearch& segment, SearchMethod method,
                          TopK& top, SearchWork& work) {
  const VectorIndex& index = segment.view.sealed->field(search.plan.field);
  std::vector<uint64_t> bits;
  switch (method) {
    case SearchMethod::kScanMatches:
      return index.ScanOrdinals(segment.query, segment.match->rows.ToOrdinals(),
                                search.context, top, work);
    case SearchMethod::kEstimateMatches:
      return index.ScanOrdinalsByCodes(segment.query,
                                       segment.match->rows.ToOrdinals(),
                                       search.context, top, work);
    case SearchMethod::kWindow:
      return segment.match->window
          ->Search(segment.query, segment.match->ranks, segment.plan.window,
                   {segment.view.dead, search.context, top, work})
          .status();
    case SearchMethod::kWindowMatches:
      return segment.match->window->Scan(segment.query, segment.match->ranks,
                                         segment.Filter(bits), search.context,
                                         top, work);
    case SearchMethod::kCodeScan:
      return index.ScanCodes(segment.query, segment.Filter(bits),
                             search.context, top, work);
    case SearchMethod::kGraph:
      return index.Search(segment.query, segment.plan.effort,
                          segment.Filter(bits), search.context, top, work);
    case SearchMethod::kScan:
      return index.Scan(segment.query, segment.Filter(bits), search.context,
                        top, work);
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
        segment.query, view.field_rows[field], segment.Filter(bits),
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

// The scores of some rows of one segment, in any order.
absl::StatusOr<std::vector<ScoredRow>> ScoreRows(
    const SegmentView& view, const DenseSearch& search,
    const std::vector<Ordinal>& rows) {
  TopK all(rows.size());
  SearchWork work;
  const uint16_t field = search.plan.field;
  if (view.sealed != nullptr) {
    RETURN_IF_ERROR(view.sealed->field(field).ScanOrdinals(
        search.query, rows, search.context, all, work));
    return all.TakeSorted();
  }
  std::vector<uint64_t> bits((view.rows + 63) / 64);
  for (const Ordinal row : rows) {
    bits[row / 64] |= uint64_t{1} << (row % 64);
  }
  RETURN_IF_ERROR(view.growing->field(field).Scan(
      search.query, view.field_rows[field], RowFilter::Among(view.dead, bits),
      search.context, all, work));
  return all.TakeSorted();
}

}  // namespace

absl::StatusOr<std::vector<double>> ScoreDense(
    const Snapshot& snapshot, const DenseSearch& search,
    std::span<const Candidate> points) {
  return ScoreBySegment(
      snapshot, points,
      [&](size_t segment, const std::vector<Ordinal>& rows)
          -> absl::StatusOr<std::vector<double>> {
        ASSIGN_OR_RETURN(const std::vector<ScoredRow> scored,
                         ScoreRows(*snapshot.segments[segment], search, rows));
        absl::flat_hash_map<Ordinal, size_t> position_of_row;
        for (size_t i = 0; i < rows.size(); ++i) {
          position_of_row[rows[i]] = i;
        }
        std::vector<double> scores(rows.size(), ScoreList::kUnknown);
        for (const ScoredRow& row : scored) {
          scores[position_of_row.at(row.row)] = static_cast<double>(row.score);
        }
        return scores;
      });
}

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
      segment.is_window = (*matches)[i].is_window;
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
      segment.costs = index.costs();
    }
    facts.push_back(segment);
  }
  return facts;
}

absl::StatusOr<std::vector<float>> QueryVector(const SearchTarget& target,
                                               const DenseSource& source,
                                               uint16_t field,
                                               absl::string_view path,
                                               const RequestContext& context) {
  std::vector<float> vector;
  if (const auto* id = std::get_if<PointId>(&source.target)) {
    context.AboutToWait();
    ASSIGN_OR_RETURN_WITH(vector,
                          target.reader->ReadVector(
                              target.snapshot->store_view.get(), *id, field),
                          absl::StrCat(path, ".stored_point"));
  } else {
    vector = std::get<std::vector<float>>(source.target);
  }
  if (target.schema->vector_fields[field].metric == Metric::kCosine) {
    CHECK(Normalize(vector)) << "a zero vector passed validation";
  }
  return vector;
}

absl::StatusOr<std::vector<Candidate>> RunDense(const Snapshot& snapshot,
                                                const DenseSearch& search,
                                                const Matches& matches,
                                                StageTiming* timing) {
  const StageClock clock;
  const DensePlan& plan = search.plan;
  const Correction* const correction = search.correction;
  const float reference = correction == nullptr ? 0 : correction->reference();
  SearchWork work;
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < snapshot.segments.size(); ++i) {
    const SegmentView& view = *snapshot.segments[i];
    ASSIGN_OR_RETURN(
        const std::vector<ScoredRow> hits,
        SearchSegment(
            search,
            {view,
             plan.segments[i],
             MatchOf(matches, i),
             {search.query,
              correction == nullptr ? RowBias() : correction->BiasOf(i)}},
            work));
    for (const ScoredRow& hit : hits) {
      candidates.push_back({hit.score + reference, view.id(hit.row),
                            static_cast<uint32_t>(i), hit.row});
    }
  }
  KeepBest(plan.candidates, &candidates);
  if (correction != nullptr && correction->rescorer() != nullptr) {
    RETURN_IF_ERROR(
        correction->rescorer()->Rescore(snapshot, search.context, &candidates));
  }
  timing->candidates_in = snapshot.state.live_count;
  timing->candidates_out = candidates.size();
  timing->distances = work.distances;
  timing->seconds = clock.seconds();
  return candidates;
}

}  // namespace sextant
