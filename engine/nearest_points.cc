// SPDX-License-Identifier: Apache-2.0
#include "engine/nearest_points.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "engine/dense_search.h"
#include "engine/find_correction.h"

namespace sextant {

absl::StatusOr<NearestPoints> NearestPoints::Make(
    const PinnedCollection* pinned, const LiveVectors* points,
    const NearestAim& aim) {
  NearestPoints made;
  made.pinned_ = pinned;
  made.points_ = points;
  made.aim_ = aim;
  const size_t others =
      points->size() - (aim.without_self && points->size() > 0 ? 1 : 0);
  made.k_ = static_cast<uint32_t>(std::min<size_t>(aim.k, others));
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const Normalizer> normalizer,
      pinned->normalizers->Resolve(aim.normalizer, aim.field, "normalizer"));
  DenseAim plan;
  plan.field = aim.field;
  plan.candidates = made.k_ + (aim.without_self ? 1 : 0);
  if (normalizer != nullptr) {
    const uint32_t most = normalizer->CandidatesFor(plan.candidates);
    if (plan.candidates > most) {
      return InvalidField(
          "normalizer",
          absl::StrCat("'", normalizer->record().name(), "' rescores ", most,
                       " points, and ", plan.candidates, " are needed"));
    }
    plan.candidates = most;
  }
  plan.corrected = normalizer != nullptr;
  DenseSource source;
  const std::vector<SegmentFacts> facts =
      FactsOf(*pinned->snapshot, aim.field, Matches());
  source.exact = true;
  made.exact_plan_ = PlanDense(source, plan, pinned->defaults, facts);
  source.exact = false;
  SearchQuery query;
  query.limit = plan.candidates;
  plan.recall_target = RecallTarget(query, source, pinned->defaults);
  made.plan_ = aim.exact ? made.exact_plan_
                         : PlanDense(source, plan, pinned->defaults, facts);
  return made;
}

absl::Status NearestPoints::FindBy(const DensePlan& plan,
                                   std::span<const float> query, uint32_t self,
                                   const RequestContext& context,
                                   std::vector<Neighbor>* found) const {
  std::optional<Correction> correction;
  if (aim_.normalizer != kNoNormalizer) {
    DenseSource source;
    source.field = pinned_->snapshot->schema->vector_fields[aim_.field].name;
    source.exact = aim_.exact;
    source.normalizer = aim_.normalizer;
    if (self != LiveVectors::kNone) {
      // It does not open its own gate, and is no neighbour of its own.
      source.target =
          DecodeId(pinned_->snapshot->schema->id_kind, points_->id(self));
    }
    ASSIGN_OR_RETURN(correction, FindCorrection(pinned_->target(), source,
                                                query, "search", context));
  }
  StageTiming timing;
  ASSIGN_OR_RETURN(const std::vector<Candidate> candidates,
                   RunDense(*pinned_->snapshot,
                            {plan, query, context,
                             correction.has_value() ? &*correction : nullptr},
                            Matches(), &timing));
  found->clear();
  for (const Candidate& candidate : candidates) {
    const uint32_t number = points_->NumberOf(candidate.segment, candidate.row);
    CHECK_NE(number, LiveVectors::kNone) << "a search found a dead point";
    if (number != self && found->size() < k_) {
      found->push_back({candidate.score, number});
    }
  }
  return absl::OkStatus();
}

absl::Status NearestPoints::Find(std::span<const float> query, uint32_t self,
                                 const RequestContext& context,
                                 std::span<Neighbor> out) const {
  CHECK_EQ(out.size(), k_) << "room for k neighbours";
  std::vector<Neighbor> found;
  RETURN_IF_ERROR(FindBy(plan_, query, self, context, &found));
  if (found.size() < k_) {
    // The graph did not lead to so many.
    RETURN_IF_ERROR(FindBy(exact_plan_, query, self, context, &found));
  }
  CHECK_EQ(found.size(), k_) << "an exact search finds what there is";
  std::copy(found.begin(), found.end(), out.begin());
  return absl::OkStatus();
}

absl::Status JoinNearest(const NearestPoints& search,
                         const JoinQueries& queries, size_t first,
                         const RequestContext& context,
                         std::span<Neighbor> out) {
  // Small enough that threads end together, large enough to be no work itself.
  constexpr size_t kQueriesPerTask = 16;
  const size_t k = search.k();
  const size_t count = k == 0 ? 0 : out.size() / k;
  const size_t tasks = (count + kQueriesPerTask - 1) / kQueriesPerTask;
  std::atomic<bool> stop{false};
  Mutex mutex;
  absl::Status status;
  const auto run = [&](size_t task) {
    const size_t end = std::min(count, (task + 1) * kQueriesPerTask);
    for (size_t i = task * kQueriesPerTask; i < end && !stop; ++i) {
      const absl::Status found =
          search.Find(queries.vector(first + i), queries.self(first + i),
                      context, out.subspan(i * k, k));
      if (!found.ok()) {
        stop = true;
        MutexLock lock(&mutex);
        status = found;
      }
    }
  };
  ThreadPool* const pool = search.pool();
  if (pool == nullptr) {
    for (size_t task = 0; task < tasks; ++task) {
      run(task);
    }
  } else {
    pool->ParallelFor(tasks, pool->threads(), run);
  }
  MutexLock lock(&mutex);
  return status;
}

}  // namespace sextant
