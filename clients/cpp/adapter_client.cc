// SPDX-License-Identifier: Apache-2.0
// The client's calls of AdapterService.
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "clients/cpp/client.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/convert.h"
#include "sextant/v1/adapter_service.grpc.pb.h"

namespace sextant::client {
namespace {

using AdapterStub = v1::AdapterService::Stub;

AdapterFit FitFromWire(const v1::AdapterFit& wire) {
  AdapterFit fit;
  fit.queries = wire.queries();
  fit.pairs = wire.pairs();
  fit.held_out_queries = wire.held_out_queries();
  fit.held_out_pairs = wire.held_out_pairs();
  fit.held_out_relevant = wire.held_out_relevant();
  fit.labels_missing = wire.labels_missing();
  fit.recall = wire.recall();
  fit.precision = wire.precision();
  fit.cosine_recall = wire.cosine_recall();
  fit.cosine_precision = wire.cosine_precision();
  fit.average_precision = wire.average_precision();
  fit.cosine_average_precision = wire.cosine_average_precision();
  fit.epochs = wire.epochs();
  for (const v1::FamilyFit& one : wire.families()) {
    fit.families.push_back({one.family(), one.epochs(), one.loss(),
                            one.threshold(), one.recall(), one.precision(),
                            one.average_precision()});
  }
  return fit;
}

CosineAdapter AdapterFromWire(const v1::CosineAdapter& wire) {
  CosineAdapter adapter;
  adapter.name = wire.name();
  adapter.field = wire.field();
  adapter.family = wire.family();
  for (const v1::AdapterLayer& layer : wire.layers()) {
    adapter.layers.push_back({layer.outputs(),
                              {layer.weights().begin(), layer.weights().end()},
                              {layer.biases().begin(), layer.biases().end()}});
  }
  adapter.threshold = wire.threshold();
  adapter.version = wire.version();
  if (wire.has_fit()) {
    adapter.fit = FitFromWire(wire.fit());
  }
  return adapter;
}

void AddIds(const std::vector<PointId>& ids,
            google::protobuf::RepeatedPtrField<v1::PointId>* wire) {
  for (const PointId& id : ids) {
    ToWire(id, wire->Add());
  }
}

absl::Status TellFit(const OnFitProgress& on_progress,
                     const v1::FitProgress& wire) {
  if (on_progress && !on_progress({wire.stage(), wire.family(), wire.done(),
                                   wire.total(), wire.loss()})) {
    return absl::CancelledError("given up");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CosineAdapter> Client::FitAdapter(
    absl::string_view collection, const AdapterFitRequest& fit,
    const OnFitProgress& on_progress, const CallOptions& call) {
  v1::FitAdapterRequest request;
  request.set_collection(std::string(collection));
  request.set_name(fit.name);
  request.set_field(fit.field);
  request.set_family(fit.family);
  for (const LabelledQuery& query : fit.queries) {
    v1::LabelledQuery* const wire = request.add_queries();
    wire->mutable_vector()->set_raw(query.vector.data(),
                                    query.vector.size() * sizeof(float));
    AddIds(query.relevant, wire->mutable_relevant());
    AddIds(query.not_relevant, wire->mutable_not_relevant());
  }
  if (fit.negatives.has_value()) {
    request.set_negatives(*fit.negatives);
  }
  if (fit.precision.has_value()) {
    request.set_precision(*fit.precision);
  } else if (fit.recall.has_value()) {
    request.set_recall(*fit.recall);
  }
  if (fit.held_out.has_value()) {
    request.set_held_out(*fit.held_out);
  }
  request.set_hidden(fit.hidden);
  request.set_epochs(fit.epochs);
  request.set_seed(fit.seed);
  absl::optional<CosineAdapter> adapter;
  RETURN_IF_ERROR(connection_->CallStream(
      connection_->adapters(), &AdapterStub::FitAdapter, request,
      [&](const v1::FitAdapterResponse& response) {
        if (response.has_adapter()) {
          adapter = AdapterFromWire(response.adapter());
        }
        return response.has_progress()
                   ? TellFit(on_progress, response.progress())
                   : absl::OkStatus();
      },
      call));
  if (!adapter.has_value()) {
    return absl::InternalError("the server sent no adapter");
  }
  return *std::move(adapter);
}

absl::StatusOr<CosineAdapter> Client::PutAdapter(absl::string_view collection,
                                                 const CosineAdapter& adapter,
                                                 const CallOptions& call) {
  v1::PutAdapterRequest request;
  request.set_collection(std::string(collection));
  v1::CosineAdapter* const wire = request.mutable_adapter();
  wire->set_name(adapter.name);
  wire->set_field(adapter.field);
  wire->set_family(adapter.family);
  for (const AdapterLayer& layer : adapter.layers) {
    v1::AdapterLayer* const made = wire->add_layers();
    made->set_outputs(layer.outputs);
    made->mutable_weights()->Add(layer.weights.begin(), layer.weights.end());
    made->mutable_biases()->Add(layer.biases.begin(), layer.biases.end());
  }
  wire->set_threshold(adapter.threshold);
  v1::PutAdapterResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->adapters(),
                                    &AdapterStub::PutAdapter, request,
                                    &response, call));
  return AdapterFromWire(response.adapter());
}

absl::StatusOr<std::vector<CosineAdapter>> Client::ListAdapters(
    absl::string_view collection, bool with_layers, const CallOptions& call) {
  v1::ListAdaptersRequest request;
  request.set_collection(std::string(collection));
  request.set_layers(with_layers);
  v1::ListAdaptersResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->adapters(),
                                    &AdapterStub::ListAdapters, request,
                                    &response, call));
  std::vector<CosineAdapter> adapters;
  for (const v1::CosineAdapter& adapter : response.adapters()) {
    adapters.push_back(AdapterFromWire(adapter));
  }
  return adapters;
}

absl::Status Client::DeleteAdapter(absl::string_view collection,
                                   absl::string_view name,
                                   const CallOptions& call) {
  v1::DeleteAdapterRequest request;
  request.set_collection(std::string(collection));
  request.set_name(std::string(name));
  v1::DeleteAdapterResponse response;
  return connection_->Call(connection_->adapters(), &AdapterStub::DeleteAdapter,
                           request, &response, call);
}

}  // namespace sextant::client
