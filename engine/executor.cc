// SPDX-License-Identifier: Apache-2.0
#include "engine/executor.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/candidate.h"
#include "engine/cut_off_stage.h"
#include "engine/dense_search.h"
#include "engine/diversity_stage.h"
#include "engine/fetch_hits.h"
#include "engine/filter_match.h"
#include "engine/find_adapter.h"
#include "engine/find_correction.h"
#include "engine/grouping_stage.h"
#include "engine/highlight_hits.h"
#include "engine/hybrid_search.h"
#include "engine/stage_clock.h"
#include "engine/validate_query.h"

namespace sextant {
namespace {

void CutPage(const SearchQuery& query, std::vector<Candidate>* candidates) {
  const size_t first =
      std::min(candidates->size(), static_cast<size_t>(query.offset));
  candidates->erase(candidates->begin(),
                    candidates->begin() + static_cast<std::ptrdiff_t>(first));
  if (candidates->size() > query.limit) {
    candidates->resize(query.limit);
  }
}

// Windows answer searches for a share of the nearest, not for all of them or
// by a given effort; and not for what other sources found.
std::optional<uint16_t> WindowedField(const SearchTarget& target,
                                      const SearchQuery& query) {
  if (!IsPlainDense(query)) {
    return std::nullopt;
  }
  const auto& source = std::get<DenseSource>(query.sources.front());
  const double recall_target = RecallTarget(query, source, target.defaults);
  return recall_target > 0 && recall_target < 1
             ? std::optional<uint16_t>(VectorFieldOf(*target.schema, source))
             : std::nullopt;
}

absl::StatusOr<Matches> FindMatches(const SearchTarget& target,
                                    const SearchQuery& query,
                                    const RequestContext& context,
                                    std::vector<StageTiming>* stages) {
  if (!query.filter.has_value()) {
    return Matches();
  }
  const StageClock clock;
  ASSIGN_OR_RETURN(const BoundFilter filter,
                   BindFilterTo(*target.snapshot, *query.filter));
  ASSIGN_OR_RETURN(std::vector<SegmentMatch> matches,
                   MatchSegments(filter, *target.snapshot,
                                 WindowedField(target, query), context));
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

// One search, from its sources to its hits.
class Execution {
 public:
  Execution(const SearchTarget& target, const SearchQuery& query,
            const RequestContext& context)
      : target_(target), query_(query), context_(context) {}

  absl::StatusOr<SearchResult> Run() {
    const StageClock clock;
    RETURN_IF_ERROR(context_.Check());
    RETURN_IF_ERROR(ValidateQuery(*target_.schema, query_));
    for (const PayloadBoost& boost : query_.boosts) {
      RETURN_IF_ERROR(CheckFilled(
          *target_.snapshot, *target_.schema->FindPayloadField(boost.field)));
    }
    ASSIGN_OR_RETURN(matches_,
                     FindMatches(target_, query_, context_, &result_.stages));
    if (IsPlainDense(query_)) {
      RETURN_IF_ERROR(PrepareDense());
    }
    result_.applied_seq = target_.snapshot->state.applied_seq;
    ASSIGN_OR_RETURN(const std::vector<Candidate> page,
                     query_.grouping.has_value() ? PageOfGroups() : PageOf());
    RETURN_IF_ERROR(context_.Check());
    RETURN_IF_ERROR(Fetch(page));
    result_.seconds = clock.seconds();
    if (query_.explain || result_.seconds >= query_.plan_after_seconds) {
      result_.plan =
          hybrid_ == nullptr
              ? absl::StrCat(plan_.ToString(*target_.schema), CorrectionText())
              : plan_.ToString(hybrid_->PlanText());
    }
    return std::move(result_);
  }

 private:
  absl::StatusOr<std::vector<Candidate>> PageOf() {
    const uint32_t wanted =
        query_.diversity.has_value() ? DiversityCandidates(query_) : 0;
    ASSIGN_OR_RETURN(std::vector<Candidate> candidates, Rank(wanted));
    AddCutOffToPlan();
    if (query_.diversity.has_value()) {
      // The cut-off may have looked at more.
      candidates.resize(std::min<size_t>(candidates.size(), wanted));
      plan_.stages.push_back(
          absl::StrFormat("diversity strength %.3g among %d candidates",
                          query_.diversity->strength, candidates.size()));
      const uint16_t field = VectorFieldOf(
          *target_.schema, std::get<DenseSource>(query_.sources.front()));
      StageTiming timing;
      ASSIGN_OR_RETURN(candidates,
                       Diversify(target_, field, query_, std::move(candidates),
                                 context_, &timing));
      result_.stages.push_back(std::move(timing));
    }
    CutPage(query_, &candidates);
    return candidates;
  }

  // Looks at more and more of the best points while there are fewer groups than
  // asked for.
  absl::StatusOr<std::vector<Candidate>> PageOfGroups() {
    const uint16_t field =
        *target_.schema->FindPayloadField(query_.grouping->field);
    RETURN_IF_ERROR(CheckFilled(*target_.snapshot, field));
    const GroupingRounds rounds = RoundsOf(query_);
    uint32_t wanted = rounds.first;
    for (int round = 1;; ++round) {
      ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, Rank(wanted));
      const StageClock clock;
      GroupedPage page =
          GroupCandidates(*target_.snapshot, query_, field, candidates);
      const char* ended = page.has_all_groups     ? "all groups found"
                          : !has_more_            ? "no more points"
                          : wanted >= rounds.last ? "candidates_max reached"
                                                  : nullptr;
      if (ended == nullptr) {
        wanted = std::min(rounds.last, wanted * GroupingRounds::kGrowth);
        continue;
      }
      AddCutOffToPlan();
      plan_.stages.push_back(absl::StrFormat(
          "group by %s, hits %d: %d groups among %d candidates, rounds %d, %s",
          query_.grouping->field, std::max(1U, query_.grouping->hits_per_group),
          page.groups_found, candidates.size(), round, ended));
      result_.stages.push_back({.name = "group",
                                .candidates_in = candidates.size(),
                                .candidates_out = page.candidates.size(),
                                .seconds = clock.seconds()});
      result_.groups = std::move(page.groups);
      return std::move(page.candidates);
    }
  }

  // The best points that are good enough, best first: `wanted` of them, 0 for
  // offset + limit; of several sources all that they found.
  absl::StatusOr<std::vector<Candidate>> Rank(uint32_t wanted) {
    ASSIGN_OR_RETURN(std::vector<Candidate> candidates,
                     IsPlainDense(query_) ? RankByDense(wanted) : RankByAll());
    const size_t found = candidates.size();
    if (query_.cut_off.has_value()) {
      result_.cut_off = ApplyCutOff(query_, adapter_, &candidates);
    }
    has_more_ = has_more_ && candidates.size() == found;
    return candidates;
  }

  void AddCutOffToPlan() {
    if (result_.cut_off.has_value()) {
      plan_.stages.push_back(absl::StrCat("cut-off ", result_.cut_off->why));
    }
  }

  // What does not depend on how many points are wanted.
  absl::Status PrepareDense() {
    constexpr char kPath[] = "sources[0].dense";
    const auto& source = std::get<DenseSource>(query_.sources.front());
    ASSIGN_OR_RETURN(
        vector_,
        QueryVector(target_, source, VectorFieldOf(*target_.schema, source),
                    kPath, context_));
    ASSIGN_OR_RETURN(correction_,
                     FindCorrection(target_, source, vector_, kPath, context_));
    if (correction_.has_value()) {
      RETURN_IF_ERROR(correction_->CheckPage(query_));
    }
    ASSIGN_OR_RETURN(adapter_, FindAdapter(target_, query_, vector_));
    if (adapter_.has_value() && correction_.has_value()) {
      return InvalidField(
          "cut_off.adapter",
          absl::StrCat("is for cosines, and scores are corrected by ",
                       correction_->ToString(),
                       "; search with the normalizer \"none\""));
    }
    return absl::OkStatus();
  }

  // Points below it are no hits, whatever else is found: where a walk through
  // a graph may end.
  std::optional<double> LeastUsefulScore() const {
    if (correction_.has_value() || !query_.cut_off.has_value()) {
      return std::nullopt;
    }
    if (const auto* min = std::get_if<MinScore>(&*query_.cut_off)) {
      return min->score;
    }
    return adapter_.has_value() ? std::optional<double>(adapter_->least_cosine)
                                : std::nullopt;
  }

  absl::StatusOr<std::vector<Candidate>> RankByDense(uint32_t wanted) {
    const auto& source = std::get<DenseSource>(query_.sources.front());
    const uint16_t field = VectorFieldOf(*target_.schema, source);
    uint32_t ranked = RankedForCutOff(
        query_, wanted != 0 ? wanted : query_.limit + query_.offset);
    if (correction_.has_value()) {
      ranked = correction_->CandidatesFor(ranked);
    }
    plan_ = PlanSearch(
        query_, field, target_.defaults,
        FactsOf(*target_.snapshot, field, matches_),
        {.candidates = ranked, .corrected = correction_.has_value()});
    if (const std::optional<double> least = LeastUsefulScore();
        least.has_value()) {
      plan_.dense.EndBelow(*least);
    }
    result_.expected_recall = plan_.dense.expected_recall;
    result_.filtered_walk = std::ranges::any_of(
        plan_.dense.segments, [](const SegmentPlan& segment) {
          return segment.method == SearchMethod::kGraph &&
                 segment.matching.has_value();
        });
    StageTiming timing;
    timing.name =
        absl::StrCat("dense ", target_.schema->vector_fields[field].name);
    ASSIGN_OR_RETURN(
        std::vector<Candidate> candidates,
        RunDense(*target_.snapshot,
                 {plan_.dense, vector_, context_,
                  correction_.has_value() ? &*correction_ : nullptr},
                 matches_, &timing));
    result_.stages.push_back(std::move(timing));
    const bool rescores =
        correction_.has_value() && correction_->rescorer() != nullptr;
    has_more_ = !rescores && candidates.size() == plan_.dense.candidates;
    if (const auto* id = std::get_if<PointId>(&source.target)) {
      // The point that was searched by is no answer.
      const std::string encoded = EncodeId(*id);
      std::erase_if(candidates,
                    [&](const Candidate& c) { return c.id == encoded; });
    }
    return candidates;
  }

  absl::StatusOr<std::vector<Candidate>> RankByAll() {
    hybrid_ = std::make_unique<HybridSearch>(
        LeafContext{target_, query_, matches_, context_});
    ASSIGN_OR_RETURN(std::vector<Candidate> candidates,
                     hybrid_->Run(&result_.stages));
    result_.expected_recall = hybrid_->expected_recall();
    plan_ = PlanOf(query_);
    has_more_ = false;
    return candidates;
  }

  // A line of the plan.
  std::string CorrectionText() const {
    return correction_.has_value()
               ? absl::StrCat("  ", correction_->ToString(), "\n")
               : std::string();
  }

  absl::Status Fetch(const std::vector<Candidate>& page) {
    StageTiming timing;
    ASSIGN_OR_RETURN(result_.hits,
                     FetchHits(target_, page, query_, context_, &timing));
    if (!timing.name.empty()) {
      result_.stages.push_back(std::move(timing));
    }
    if (query_.highlight.has_value()) {
      StageTiming highlighting;
      RETURN_IF_ERROR(HighlightHits(target_, page, query_, context_,
                                    &result_.hits, &highlighting));
      result_.stages.push_back(std::move(highlighting));
    }
    if (correction_.has_value() && query_.explain) {
      RETURN_IF_ERROR(ExplainCorrection(page));
    }
    if (hybrid_ != nullptr && query_.explain) {
      for (size_t i = 0; i < page.size(); ++i) {
        RETURN_IF_ERROR(context_.Check());
        ASSIGN_OR_RETURN(result_.hits[i].explanation,
                         hybrid_->Explain(page[i]));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ExplainCorrection(const std::vector<Candidate>& page) {
    if (correction_->rescorer() == nullptr) {
      for (size_t i = 0; i < page.size(); ++i) {
        const float bias = correction_->Of(*target_.snapshot, page[i]);
        result_.hits[i].correction = {page[i].score + bias, bias};
      }
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(
        const std::vector<double> raw,
        ScoreDense(*target_.snapshot, {plan_.dense, vector_, context_}, page));
    for (size_t i = 0; i < page.size(); ++i) {
      const auto own = static_cast<float>(raw[i]);
      result_.hits[i].correction = {own, own - page[i].score};
    }
    return absl::OkStatus();
  }

  const SearchTarget& target_;
  const SearchQuery& query_;
  const RequestContext& context_;
  SearchResult result_;
  Matches matches_;
  Plan plan_;
  // There may be points below the worst that was ranked.
  bool has_more_ = false;
  std::vector<float> vector_;  // of the only source, if it is dense
  std::optional<Correction> correction_;
  std::optional<BoundAdapter> adapter_;  // of the cut-off
  std::unique_ptr<HybridSearch> hybrid_;
};

}  // namespace

absl::StatusOr<SearchResult> ExecuteSearch(const SearchTarget& target,
                                           const SearchQuery& query,
                                           const RequestContext& context) {
  return Execution(target, query, context).Run();
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
