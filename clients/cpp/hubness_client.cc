// SPDX-License-Identifier: Apache-2.0
// The client's calls of HubnessService.
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "clients/cpp/client.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/convert.h"
#include "clients/cpp/normalizer_wire.h"
#include "sextant/v1/hubness_service.grpc.pb.h"

namespace sextant::client {
namespace {

using HubnessStub = v1::HubnessService::Stub;

RetrievalQuality FromWire(const v1::RetrievalQuality& wire) {
  return {wire.recall_at_1(), wire.recall_at_5(), wire.recall_at_10(),
          wire.mean_reciprocal_rank()};
}

Hubness FromWire(const v1::Hubness& wire) {
  Hubness hubness;
  hubness.points = wire.points();
  hubness.queries = wire.queries();
  hubness.k = wire.k();
  hubness.skewness = wire.skewness();
  hubness.robin_hood = wire.robin_hood();
  hubness.gini = wire.gini();
  hubness.anti_hub_share = wire.anti_hub_share();
  hubness.hub_occurrence = wire.hub_occurrence();
  hubness.greatest = wire.greatest();
  return hubness;
}

TuneReport FromWire(const v1::TuneReport& wire) {
  TuneReport report;
  report.tuning_pairs = wire.tuning_pairs();
  report.held_out_pairs = wire.held_out_pairs();
  report.gallery_points = wire.gallery_points();
  report.collection_points = wire.collection_points();
  report.raw_tuning = FromWire(wire.raw_tuning());
  report.raw_held_out = FromWire(wire.raw_held_out());
  report.raw_hubness = FromWire(wire.raw_hubness());
  for (const v1::TuneTrial& trial : wire.trials()) {
    report.trials.push_back(
        {client::FromWire(trial.normalizer()), FromWire(trial.tuning()),
         FromWire(trial.held_out()), FromWire(trial.hubness())});
  }
  if (wire.has_recommended()) {
    report.recommended = client::FromWire(wire.recommended());
  }
  report.gain = wire.gain();
  report.gain_error = wire.gain_error();
  report.reason = wire.reason();
  if (wire.has_alignment()) {
    report.alignment = wire.alignment();
  }
  return report;
}

absl::StatusOr<HubnessMeasurement> FromWire(
    const v1::HubnessMeasurement& wire) {
  HubnessMeasurement measurement;
  measurement.hubness = FromWire(wire.hubness());
  measurement.occurrence_histogram.assign(wire.occurrence_histogram().begin(),
                                          wire.occurrence_histogram().end());
  for (const v1::Hub& hub : wire.hubs()) {
    Hub& one = measurement.hubs.emplace_back();
    ASSIGN_OR_RETURN(one.id, client::FromWire(hub.id()));
    one.occurrences = hub.occurrences();
  }
  return measurement;
}

VectorGeometry FromWire(const v1::VectorGeometry& wire) {
  VectorGeometry geometry;
  geometry.vectors = wire.vectors();
  geometry.intrinsic_dimension_mean = wire.intrinsic_dimension_mean();
  geometry.intrinsic_dimension_median = wire.intrinsic_dimension_median();
  geometry.intrinsic_dimension_left_out = wire.intrinsic_dimension_left_out();
  if (wire.has_uniformity()) {
    geometry.uniformity = wire.uniformity();
  }
  if (wire.has_iso_score()) {
    geometry.iso_score = wire.iso_score();
  }
  if (wire.has_partition_isotropy()) {
    geometry.partition_isotropy = wire.partition_isotropy();
  }
  return geometry;
}

absl::StatusOr<HubnessReport> FromWire(const v1::HubnessReport& wire) {
  HubnessReport report;
  report.field = wire.field();
  ASSIGN_OR_RETURN(report.raw, FromWire(wire.raw()));
  report.normalizer = wire.normalizer();
  if (wire.has_corrected()) {
    ASSIGN_OR_RETURN(report.corrected, FromWire(wire.corrected()));
  }
  report.skewness_by_chance = wire.skewness_by_chance();
  report.anti_hub_share_by_chance = wire.anti_hub_share_by_chance();
  report.geometry = FromWire(wire.geometry());
  return report;
}

v1::MarginKind ToWire(MarginKind margin) {
  switch (margin) {
    case MarginKind::kAbsolute:
      return v1::MARGIN_KIND_ABSOLUTE;
    case MarginKind::kDistance:
      return v1::MARGIN_KIND_DISTANCE;
    case MarginKind::kRatio:
      break;
  }
  return v1::MARGIN_KIND_RATIO;
}

v1::MiningMode ToWire(MiningMode mode) {
  switch (mode) {
    case MiningMode::kForward:
      return v1::MINING_MODE_FORWARD;
    case MiningMode::kBackward:
      return v1::MINING_MODE_BACKWARD;
    case MiningMode::kIntersection:
      return v1::MINING_MODE_INTERSECTION;
    case MiningMode::kMax:
      break;
  }
  return v1::MINING_MODE_MAX;
}

absl::StatusOr<MiningStep> FromWire(const v1::MinePairsResponse& wire) {
  MiningStep step;
  step.resume_token = wire.resume_token();
  if (wire.has_progress()) {
    step.progress = {wire.progress().stage(), wire.progress().done(),
                     wire.progress().total()};
  }
  for (const v1::MinedPair& pair : wire.pairs().pairs()) {
    MinedPair& one = step.pairs.emplace_back();
    ASSIGN_OR_RETURN(one.source, client::FromWire(pair.source()));
    ASSIGN_OR_RETURN(one.target, client::FromWire(pair.target()));
    one.score = pair.score();
  }
  step.total = wire.pairs().total();
  return step;
}

absl::Status Tell(const OnProgress& on_progress,
                  const v1::WorkProgress& progress) {
  if (on_progress &&
      !on_progress({progress.stage(), progress.done(), progress.total()})) {
    return absl::CancelledError("given up");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TuneReport> Client::TuneNormalizer(absl::string_view collection,
                                                  const TuneRequest& request,
                                                  const OnProgress& on_progress,
                                                  const CallOptions& call) {
  v1::TuneNormalizerRequest wire;
  wire.set_collection(std::string(collection));
  wire.set_field(request.field);
  for (const LabelledPair& pair : request.pairs) {
    v1::LabelledPair* const one = wire.add_pairs();
    one->mutable_query()->set_raw(pair.query.data(),
                                  pair.query.size() * sizeof(float));
    ToWire(pair.id, one->mutable_id());
  }
  wire.set_query_bank(request.query_bank);
  wire.set_gallery_bank(request.gallery_bank);
  for (const std::string& method : request.methods) {
    wire.add_methods(method);
  }
  if (request.held_out.has_value()) {
    wire.set_held_out(*request.held_out);
  }
  wire.set_seed(request.seed);
  wire.set_gallery_points_max(request.gallery_points_max);
  absl::optional<TuneReport> report;
  RETURN_IF_ERROR(connection_->CallStream(
      connection_->hubness(), &HubnessStub::TuneNormalizer, wire,
      [&](const v1::TuneNormalizerResponse& response) {
        if (response.has_report()) {
          report = FromWire(response.report());
        }
        return response.has_progress() ? Tell(on_progress, response.progress())
                                       : absl::OkStatus();
      },
      call));
  if (!report.has_value()) {
    return absl::InternalError("the server sent no report");
  }
  return *std::move(report);
}

absl::StatusOr<HubnessReport> Client::DiagnoseHubness(
    absl::string_view collection, const DiagnoseRequest& request,
    const OnProgress& on_progress, const CallOptions& call) {
  v1::DiagnoseHubnessRequest wire;
  wire.set_collection(std::string(collection));
  wire.set_field(request.field);
  wire.set_bank(request.bank);
  wire.set_queries_max(request.queries_max);
  wire.set_seed(request.seed);
  wire.set_k(request.k);
  wire.set_normalizer(request.normalizer);
  wire.set_hubs_max(request.hubs_max);
  wire.set_exact(request.exact);
  absl::optional<HubnessReport> report;
  RETURN_IF_ERROR(connection_->CallStream(
      connection_->hubness(), &HubnessStub::DiagnoseHubness, wire,
      [&](const v1::DiagnoseHubnessResponse& response) -> absl::Status {
        if (response.has_report()) {
          ASSIGN_OR_RETURN(report, FromWire(response.report()));
        }
        return response.has_progress() ? Tell(on_progress, response.progress())
                                       : absl::OkStatus();
      },
      call));
  if (!report.has_value()) {
    return absl::InternalError("the server sent no report");
  }
  return *std::move(report);
}

absl::Status Client::MinePairs(absl::string_view source,
                               absl::string_view target,
                               const MineRequest& request,
                               const OnMined& on_mined,
                               const CallOptions& call) {
  v1::MinePairsRequest wire;
  wire.set_source_collection(std::string(source));
  wire.set_source_field(request.source_field);
  wire.set_target_collection(std::string(target));
  wire.set_target_field(request.target_field);
  wire.set_margin(ToWire(request.margin));
  wire.set_mode(ToWire(request.mode));
  wire.set_k(request.k);
  wire.set_candidates(request.candidates);
  if (request.threshold.has_value()) {
    wire.set_threshold(*request.threshold);
  }
  wire.set_exact(request.exact);
  wire.set_resume_token(request.resume_token);
  return connection_->CallStream(
      connection_->hubness(), &HubnessStub::MinePairs, wire,
      [&](const v1::MinePairsResponse& response) -> absl::Status {
        ASSIGN_OR_RETURN(const MiningStep step, FromWire(response));
        RETURN_IF_ERROR(on_mined(step));
        wire.set_resume_token(step.resume_token);
        return absl::OkStatus();
      },
      call, /*resumes=*/true);
}

}  // namespace sextant::client
