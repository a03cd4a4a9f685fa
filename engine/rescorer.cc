// SPDX-License-Identifier: Apache-2.0
#include "engine/rescorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "engine/dense_search.h"
#include "ranking/hubness/bank_statistics.h"
#include "ranking/hubness/margin.h"

namespace sextant {

template <typename IsSelf>
absl::StatusOr<std::vector<float>> Rescorer::Nearest(
    const Snapshot& snapshot, std::span<const float> vector,
    const RequestContext& context, const IsSelf& is_self) const {
  StageTiming timing;
  ASSIGN_OR_RETURN(
      const std::vector<Candidate> found,
      RunDense(snapshot, {plan_, vector, context}, Matches(), &timing));
  std::vector<float> nearest;
  for (const Candidate& candidate : found) {
    if (!is_self(candidate) && nearest.size() < normalizer_->spec().k) {
      nearest.push_back(candidate.score);
    }
  }
  return nearest;
}

Neighborhood Rescorer::NeighborhoodOfThe(
    std::span<const float> similarities) const {
  std::vector<double> distances;
  for (const float similarity : similarities) {
    distances.push_back(DistanceOf(similarity, similarity_));
  }
  return NeighborhoodOf(distances, distances.size());
}

absl::StatusOr<Rescorer> Rescorer::Make(
    std::shared_ptr<const Normalizer> normalizer, const SearchTarget& target,
    const Query& query, const RequestContext& context) {
  const Snapshot& snapshot = *target.snapshot;
  const uint16_t field = normalizer->field();
  const VectorFieldSchema& schema = target.schema->vector_fields[field];
  Rescorer made;
  made.normalizer_ = std::move(normalizer);
  made.similarity_ = SimilarityOf(schema.metric);
  made.dimension_ = schema.dimension;
  const NormalizerSpec& spec = made.normalizer_->spec();
  if (spec.method == NormalizerMethod::kGloballyCorrected) {
    return made;
  }
  DenseSource source;
  source.exact = query.exact;
  made.plan_ = PlanDense(
      source,
      {.field = field,
       .candidates = spec.k + 1,
       .recall_target = RecallTarget(SearchQuery(), source, target.defaults)},
      target.defaults, FactsOf(snapshot, field, Matches()));
  ASSIGN_OR_RETURN(
      const std::vector<float> nearest,
      made.Nearest(snapshot, query.vector, context,
                   [&](const Candidate& c) { return c.id == query.own_id; }));
  made.query_ = made.NeighborhoodOfThe(nearest);
  if (!nearest.empty()) {
    made.query_mean_ = std::accumulate(nearest.begin(), nearest.end(), 0.0) /
                       static_cast<double>(nearest.size());
  }
  return made;
}

absl::StatusOr<double> Rescorer::ByNeighborhoods(
    const Snapshot& snapshot, const Candidate& point, double raw,
    const RequestContext& context) const {
  const float* const vector =
      snapshot.segments[point.segment]->vector(normalizer_->field(), point.row);
  ASSIGN_OR_RETURN(const std::vector<float> nearest,
                   Nearest(snapshot, {vector, dimension_}, context,
                           [&point](const Candidate& c) {
                             return c.segment == point.segment &&
                                    c.row == point.row;
                           }));
  return ScoreByNeighborhoods(normalizer_->spec().method,
                              DistanceOf(static_cast<float>(raw), similarity_),
                              query_, NeighborhoodOfThe(nearest));
}

absl::Status Rescorer::ByBank(const Snapshot& snapshot,
                              std::span<const Candidate> points,
                              const RequestContext& context,
                              std::vector<double>* scores) const {
  std::vector<float> numbers;
  numbers.reserve(points.size() * dimension_);
  for (const Candidate& point : points) {
    const float* const vector = snapshot.segments[point.segment]->vector(
        normalizer_->field(), point.row);
    numbers.insert(numbers.end(), vector, vector + dimension_);
  }
  const VectorRows items{numbers.data(), points.size(), dimension_, dimension_};
  const PassRun run{nullptr, context};
  const NormalizerSpec& spec = normalizer_->spec();
  if (spec.method == NormalizerMethod::kGloballyCorrected) {
    const std::vector<double> raw = *scores;
    return GloballyCorrectedOfItems(items, normalizer_->query_bank(),
                                    similarity_, raw, run, *scores);
  }
  if (UsesNeighborhoods(spec.method)) {
    std::vector<Neighborhood> neighborhoods(points.size());
    RETURN_IF_ERROR(NeighborhoodsInBank(items, normalizer_->query_bank(),
                                        similarity_, spec.k, run,
                                        neighborhoods));
    for (size_t i = 0; i < points.size(); ++i) {
      (*scores)[i] = ScoreByNeighborhoods(
          spec.method,
          DistanceOf(static_cast<float>((*scores)[i]), similarity_), query_,
          neighborhoods[i]);
    }
    return absl::OkStatus();
  }
  std::vector<float> means(points.size());
  RETURN_IF_ERROR(TopMeansOfItems(items, normalizer_->query_bank(), similarity_,
                                  spec.k, run, means));
  for (size_t i = 0; i < points.size(); ++i) {
    (*scores)[i] =
        MarginScore(MarginKind::kRatio, (*scores)[i],
                    (query_mean_ + static_cast<double>(means[i])) / 2);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> Rescorer::ScoresOf(
    const Snapshot& snapshot, std::span<const Candidate> points,
    std::span<const double> raw, const RequestContext& context) const {
  std::vector<double> scores(raw.begin(), raw.end());
  std::vector<size_t> places;  // of points whose score is known
  std::vector<Candidate> known;
  std::vector<double> known_scores;
  for (size_t i = 0; i < points.size(); ++i) {
    if (std::isfinite(raw[i])) {
      places.push_back(i);
      known.push_back(points[i]);
      known_scores.push_back(raw[i]);
    }
  }
  const bool has_bank = normalizer_->query_bank().count > 0;
  if (UsesNeighborhoods(normalizer_->spec().method) && !has_bank) {
    for (size_t i = 0; i < known.size(); ++i) {
      RETURN_IF_ERROR(context.Check());
      ASSIGN_OR_RETURN(
          known_scores[i],
          ByNeighborhoods(snapshot, known[i], known_scores[i], context));
    }
  } else {
    RETURN_IF_ERROR(ByBank(snapshot, known, context, &known_scores));
  }
  for (size_t i = 0; i < known.size(); ++i) {
    scores[places[i]] = known_scores[i];
  }
  return scores;
}

absl::Status Rescorer::Rescore(const Snapshot& snapshot,
                               const RequestContext& context,
                               std::vector<Candidate>* found) const {
  std::vector<double> raw;
  raw.reserve(found->size());
  for (const Candidate& candidate : *found) {
    raw.push_back(static_cast<double>(candidate.score));
  }
  ASSIGN_OR_RETURN(const std::vector<double> scores,
                   ScoresOf(snapshot, *found, raw, context));
  for (size_t i = 0; i < found->size(); ++i) {
    (*found)[i].score = static_cast<float>(scores[i]);
  }
  std::sort(found->begin(), found->end(), Better);
  return absl::OkStatus();
}

}  // namespace sextant
