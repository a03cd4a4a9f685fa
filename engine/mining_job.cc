// SPDX-License-Identifier: Apache-2.0
#include "engine/mining_job.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"

namespace sextant {
namespace {

absl::Status CheckRange(absl::string_view path, uint32_t value, uint32_t least,
                        uint32_t most) {
  if (value < least || value > most) {
    return InvalidField(path,
                        absl::StrCat(least, " to ", most, ", got ", value));
  }
  return absl::OkStatus();
}

const VectorFieldSchema& FieldOf(const PinnedCollection& pinned,
                                 uint16_t field) {
  return pinned.snapshot->schema->vector_fields[field];
}

NeighborLists ListsOf(const std::vector<Neighbor>& nearest, uint32_t k) {
  return {nearest, k};
}

}  // namespace

absl::Status MiningJob::OpenSide(const MiningSide& side, absl::string_view path,
                                 const RequestContext& context, Side* opened) {
  opened->collection = side.collection;
  ASSIGN_OR_RETURN(opened->pinned, side.collection->Pin());
  ASSIGN_OR_RETURN(
      opened->field,
      RequireVectorField(*opened->pinned.snapshot->schema, side.field, path));
  const VectorFieldSchema& field = FieldOf(opened->pinned, opened->field);
  if (field.metric == Metric::kL2) {
    return InvalidField(path,
                        "margins are of cosines or inner products, not "
                        "of distances (l2)");
  }
  opened->dimension = field.dimension;
  opened->seq = opened->pinned.snapshot->state.applied_seq;
  ASSIGN_OR_RETURN(opened->points, LiveVectors::Of(*opened->pinned.snapshot,
                                                   opened->field, context));
  // Its view of the store would hold back what is overwritten meanwhile.
  auto without_view = std::make_shared<Snapshot>(*opened->pinned.snapshot);
  without_view->store_view = nullptr;
  opened->pinned.snapshot = std::move(without_view);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<MiningJob>> MiningJob::Make(
    const MiningQuery& query, const RequestContext& context) {
  auto job = absl::WrapUnique(new MiningJob);
  job->options_.margin = query.margin;
  job->options_.mode = query.mode;
  job->options_.threshold =
      query.threshold.value_or(-std::numeric_limits<double>::infinity());
  const uint32_t k = query.k == 0 ? limits::kMiningNeighborsDefault : query.k;
  RETURN_IF_ERROR(CheckRange("k", k, 1, limits::kMiningCandidatesMax));
  job->options_.neighbors = k;
  job->candidates_ = query.candidates == 0
                         ? std::max(k, limits::kMiningCandidatesDefault)
                         : query.candidates;
  RETURN_IF_ERROR(CheckRange("candidates", job->candidates_, k,
                             limits::kMiningCandidatesMax));
  RETURN_IF_ERROR(
      OpenSide(query.source, "source_field", context, &job->source_));
  RETURN_IF_ERROR(
      OpenSide(query.target, "target_field", context, &job->target_));
  const VectorFieldSchema& source =
      FieldOf(job->source_.pinned, job->source_.field);
  const VectorFieldSchema& target =
      FieldOf(job->target_.pinned, job->target_.field);
  if (source.dimension != target.dimension || source.metric != target.metric) {
    return InvalidField(
        "target_field",
        absl::StrCat(MetricName(target.metric), " of dimension ",
                     target.dimension, "; the source has ",
                     MetricName(source.metric), " of dimension ",
                     source.dimension));
  }
  job->with_itself_ = query.source.collection == query.target.collection &&
                      job->source_.field == job->target_.field;
  if (job->with_itself_) {
    job->target_.points.reset();
  }
  RETURN_IF_ERROR(job->PrepareSearches(query.exact));
  return job;
}

absl::Status MiningJob::PrepareSearches(bool exact) {
  NearestAim aim{
      .k = candidates_, .exact = exact, .without_self = with_itself_};
  const auto prepare = [&aim](Side& side, const Side& other) -> absl::Status {
    aim.field = other.field;
    ASSIGN_OR_RETURN(side.search,
                     NearestPoints::Make(&other.pinned, &*other.points, aim));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(prepare(source_, other()));
  uint64_t neighbors = source_.points->size() * uint64_t{source_.search->k()};
  if (!with_itself_) {
    RETURN_IF_ERROR(prepare(target_, source_));
    neighbors += target_.points->size() * uint64_t{target_.search->k()};
  }
  if (neighbors * sizeof(Neighbor) > limits::kMiningBytesMax) {
    return absl::FailedPreconditionError(
        absl::StrCat("the neighbours of all points would take ",
                     neighbors * sizeof(Neighbor), " bytes, more than ",
                     limits::kMiningBytesMax, "; ask for fewer candidates"));
  }
  return absl::OkStatus();
}

absl::Status MiningJob::Search(Side* side, ProgressSink progress,
                               const RequestContext& context) {
  const LiveVectors& points = *side->points;
  const uint32_t k = side->search->k();
  side->nearest.resize(points.size() * k);
  const uint64_t total =
      source_.points->size() + (with_itself_ ? 0 : target_.points->size());
  const auto vector = [&](size_t i) {
    return std::span<const float>(points.vector(i), side->dimension);
  };
  const auto self = [this](size_t i) {
    return with_itself_ ? static_cast<uint32_t>(i) : LiveVectors::kNone;
  };
  while (side->searched < points.size()) {
    progress({"searches", source_.searched + target_.searched, total});
    const size_t count = std::min(kJoinSlice, points.size() - side->searched);
    RETURN_IF_ERROR(JoinNearest(*side->search, {vector, self}, side->searched,
                                context,
                                std::span<Neighbor>(side->nearest)
                                    .subspan(side->searched * k, count * k)));
    side->searched += count;
  }
  progress({"searches", source_.searched + target_.searched, total});
  return absl::OkStatus();
}

absl::Status MiningJob::Run(ProgressSink progress,
                            const RequestContext& context) {
  if (done_) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Search(&source_, progress, context));
  if (!with_itself_) {
    RETURN_IF_ERROR(Search(&target_, progress, context));
  }
  MakePairs();
  done_ = true;
  return absl::OkStatus();
}

void MiningJob::MakePairs() {
  const bool is_empty = source_.search->k() == 0 || other().points->size() == 0;
  if (!is_empty) {
    const NeighborLists forward = ListsOf(source_.nearest, source_.search->k());
    pairs_ = MinePairs(
        forward,
        with_itself_ ? forward : ListsOf(target_.nearest, target_.search->k()),
        options_);
  }
  if (with_itself_) {
    KeepEachOnce();
  }
  source_.nearest = {};
  target_.nearest = {};
}

// Scores are the same both ways, so a pair and its mirror are both there.
void MiningJob::KeepEachOnce() {
  absl::flat_hash_set<uint64_t> known;
  std::vector<bool> taken(source_.points->size(), false);
  std::vector<MinedPair> kept;
  for (const MinedPair& pair : pairs_) {
    uint32_t least = pair.source;
    uint32_t most = pair.target;
    if (source_.points->id(most) < source_.points->id(least)) {
      std::swap(least, most);
    }
    if (!known.insert(uint64_t{least} << 32U | most).second) {
      continue;
    }
    if (options_.mode == MiningMode::kMax) {
      if (taken[least] || taken[most]) {
        continue;
      }
      taken[least] = true;
      taken[most] = true;
    }
    kept.push_back({least, most, pair.score});
  }
  pairs_ = std::move(kept);
}

MinedIds MiningJob::pair(size_t i) const {
  const MinedPair& pair = pairs_[i];
  const auto id = [](const Side& side, uint32_t number) {
    return DecodeId(side.pinned.snapshot->schema->id_kind,
                    side.points->id(number));
  };
  return {id(source_, pair.source), id(other(), pair.target), pair.score};
}

uint64_t MiningJob::bytes() const {
  return (source_.nearest.capacity() + target_.nearest.capacity()) *
             sizeof(Neighbor) +
         pairs_.capacity() * sizeof(MinedPair);
}

}  // namespace sextant
