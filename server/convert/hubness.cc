// SPDX-License-Identifier: Apache-2.0
#include "server/convert/hubness.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/normalizer.h"
#include "server/convert/normalizer.h"
#include "server/convert/point.h"

namespace sextant {
namespace {

void FromQuality(const RetrievalQuality& quality,
                 v1::RetrievalQuality* message) {
  message->set_recall_at_1(quality.recall_at_1);
  message->set_recall_at_5(quality.recall_at_5);
  message->set_recall_at_10(quality.recall_at_10);
  message->set_mean_reciprocal_rank(quality.mean_reciprocal_rank);
}

// As PutNormalizer takes it.
void FromSpec(const NormalizerSpec& spec, const TuneQuery& query,
              const std::string& field, v1::Normalizer* message) {
  NormalizerStatus status;
  SetSpec(spec, &status.record);
  status.record.set_field(field);
  status.record.set_query_bank(query.query_bank);
  if (NeedsGalleryBank(spec.method)) {
    status.record.set_gallery_bank(query.gallery_bank);
  }
  FromNormalizer(status, message);
}

void FromOccurrences(const OccurrenceReport& report,
                     v1::HubnessMeasurement* message) {
  FromHubness(report.hubness, message->mutable_hubness());
  for (const uint64_t points : report.histogram) {
    message->add_occurrence_histogram(points);
  }
  for (const NamedHub& hub : report.worst) {
    v1::Hub* const one = message->add_hubs();
    FromPointId(hub.id, one->mutable_id());
    one->set_occurrences(hub.occurrences);
  }
}

}  // namespace

void FromWorkProgress(const WorkProgress& progress, v1::WorkProgress* message) {
  message->set_stage(std::string(progress.stage));
  message->set_done(progress.done);
  message->set_total(progress.total);
}

void FromHubness(const Hubness& hubness, v1::Hubness* message) {
  message->set_points(hubness.items);
  message->set_queries(hubness.queries);
  message->set_k(hubness.k);
  message->set_skewness(hubness.skewness);
  message->set_robin_hood(hubness.robin_hood);
  message->set_gini(hubness.gini);
  message->set_anti_hub_share(hubness.anti_hub_share);
  message->set_hub_occurrence(hubness.hub_occurrence);
  message->set_greatest(hubness.greatest);
}

absl::StatusOr<TuneQuery> ToTuneQuery(
    const v1::TuneNormalizerRequest& message) {
  TuneQuery query;
  query.field = message.field();
  // Else it would be converted first.
  if (static_cast<size_t>(message.pairs_size()) > limits::kTunePairsMax) {
    return InvalidField(
        "pairs", absl::StrCat(kTuneQueriesMin, " to ", limits::kTunePairsMax,
                              ", got ", message.pairs_size()));
  }
  for (int i = 0; i < message.pairs_size(); ++i) {
    const std::string path = absl::StrCat("pairs[", i, "]");
    AnsweredQuery pair;
    ASSIGN_OR_RETURN(pair.query, ToFloats(message.pairs(i).query(),
                                          absl::StrCat(path, ".query")));
    ASSIGN_OR_RETURN(
        pair.id, ToPointId(message.pairs(i).id(), absl::StrCat(path, ".id")));
    query.pairs.push_back(std::move(pair));
  }
  query.query_bank = message.query_bank();
  query.gallery_bank = message.gallery_bank();
  query.methods.assign(message.methods().begin(), message.methods().end());
  if (message.has_held_out()) {
    query.held_out = message.held_out();
  }
  query.seed = message.seed();
  query.gallery_points_max = message.gallery_points_max();
  return query;
}

void FromTuneAnswer(const TuneQuery& query, const TuneAnswer& answer,
                    v1::TuneReport* message) {
  const TuneResult& result = answer.result;
  message->set_tuning_pairs(result.tuning_queries);
  message->set_held_out_pairs(result.held_out_queries);
  message->set_gallery_points(answer.gallery_points);
  message->set_collection_points(answer.collection_points);
  FromQuality(result.raw_tuning, message->mutable_raw_tuning());
  FromQuality(result.raw_held_out, message->mutable_raw_held_out());
  FromHubness(result.raw_hubness, message->mutable_raw_hubness());
  for (const TuneTrial& trial : result.trials) {
    v1::TuneTrial* const one = message->add_trials();
    FromSpec(trial.spec, query, answer.field, one->mutable_normalizer());
    FromQuality(trial.tuning, one->mutable_tuning());
    FromQuality(trial.held_out, one->mutable_held_out());
    FromHubness(trial.hubness, one->mutable_hubness());
  }
  if (result.recommended.has_value()) {
    FromSpec(*result.recommended, query, answer.field,
             message->mutable_recommended());
  }
  message->set_gain(result.gain);
  message->set_gain_error(result.gain_error);
  message->set_reason(result.reason);
  if (answer.alignment.has_value()) {
    message->set_alignment(*answer.alignment);
  }
}

DiagnoseQuery ToDiagnoseQuery(const v1::DiagnoseHubnessRequest& message) {
  DiagnoseQuery query;
  query.field = message.field();
  query.bank = message.bank();
  query.queries_max = message.queries_max();
  query.seed = message.seed();
  query.k = message.k();
  query.normalizer = message.normalizer();
  query.hubs_max = message.hubs_max();
  query.exact = message.exact();
  return query;
}

void FromDiagnosis(const HubnessDiagnosis& diagnosis,
                   v1::HubnessReport* message) {
  message->set_field(diagnosis.field);
  FromOccurrences(diagnosis.raw, message->mutable_raw());
  message->set_normalizer(diagnosis.normalizer);
  if (diagnosis.corrected.has_value()) {
    FromOccurrences(*diagnosis.corrected, message->mutable_corrected());
  }
  message->set_skewness_by_chance(diagnosis.by_chance.skewness);
  message->set_anti_hub_share_by_chance(diagnosis.by_chance.anti_hub_share);
  const GeometryReport& geometry = diagnosis.geometry;
  v1::VectorGeometry* const lie = message->mutable_geometry();
  lie->set_vectors(geometry.vectors);
  lie->set_intrinsic_dimension_mean(geometry.intrinsic_dimension.mean);
  lie->set_intrinsic_dimension_median(geometry.intrinsic_dimension.median);
  lie->set_intrinsic_dimension_left_out(geometry.intrinsic_dimension.left_out);
  if (geometry.uniformity.has_value()) {
    lie->set_uniformity(*geometry.uniformity);
  }
  if (geometry.iso_score.has_value()) {
    lie->set_iso_score(*geometry.iso_score);
  }
  if (geometry.partition_isotropy.has_value()) {
    lie->set_partition_isotropy(*geometry.partition_isotropy);
  }
}

absl::StatusOr<MiningQuery> ToMiningQuery(const v1::MinePairsRequest& message) {
  MiningQuery query;
  query.source.field = message.source_field();
  query.target.field = message.target_field();
  switch (message.margin()) {
    case v1::MARGIN_KIND_UNSPECIFIED:
    case v1::MARGIN_KIND_RATIO:
      query.margin = MarginKind::kRatio;
      break;
    case v1::MARGIN_KIND_ABSOLUTE:
      query.margin = MarginKind::kAbsolute;
      break;
    case v1::MARGIN_KIND_DISTANCE:
      query.margin = MarginKind::kDistance;
      break;
    default:
      return InvalidField("margin", "no such kind");
  }
  switch (message.mode()) {
    case v1::MINING_MODE_UNSPECIFIED:
    case v1::MINING_MODE_MAX:
      query.mode = MiningMode::kMax;
      break;
    case v1::MINING_MODE_FORWARD:
      query.mode = MiningMode::kForward;
      break;
    case v1::MINING_MODE_BACKWARD:
      query.mode = MiningMode::kBackward;
      break;
    case v1::MINING_MODE_INTERSECTION:
      query.mode = MiningMode::kIntersection;
      break;
    default:
      return InvalidField("mode", "no such mode");
  }
  query.k = message.k();
  query.candidates = message.candidates();
  if (message.has_threshold()) {
    if (std::isnan(message.threshold())) {
      return InvalidField("threshold", "NaN");
    }
    query.threshold = message.threshold();
  }
  query.exact = message.exact();
  return query;
}

void FromMinedIds(const MinedIds& pair, v1::MinedPair* message) {
  FromPointId(pair.source, message->mutable_source());
  FromPointId(pair.target, message->mutable_target());
  message->set_score(pair.score);
}

}  // namespace sextant
