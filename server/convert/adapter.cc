// SPDX-License-Identifier: Apache-2.0
#include "server/convert/adapter.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "server/convert/point.h"

namespace sextant {
namespace {

void FromFit(const AdapterFit& fit, v1::AdapterFit* message) {
  message->set_queries(fit.queries);
  message->set_pairs(fit.pairs);
  message->set_held_out_queries(fit.held_out_queries);
  message->set_held_out_pairs(fit.held_out_pairs);
  message->set_held_out_relevant(fit.held_out_relevant);
  message->set_labels_missing(fit.labels_missing);
  message->set_recall(fit.recall);
  message->set_precision(fit.precision);
  message->set_cosine_recall(fit.cosine_recall);
  message->set_cosine_precision(fit.cosine_precision);
  message->set_average_precision(fit.average_precision);
  message->set_cosine_average_precision(fit.cosine_average_precision);
  message->set_epochs(fit.epochs);
  for (const FamilyFit& one : fit.families) {
    v1::FamilyFit* const family = message->add_families();
    family->set_family(std::string(NameOf(one.family)));
    family->set_epochs(one.epochs);
    family->set_loss(one.loss);
    family->set_threshold(one.threshold);
    family->set_recall(one.recall);
    family->set_precision(one.precision);
    family->set_average_precision(one.average_precision);
  }
}

// Errors name the field "family".
absl::StatusOr<std::vector<AdapterFamily>> ToFamilies(const std::string& name) {
  if (name == "auto") {
    return std::vector<AdapterFamily>{
        AdapterFamily::kLinear, AdapterFamily::kSquareRoot,
        AdapterFamily::kQuadratic, AdapterFamily::kPower};
  }
  ASSIGN_OR_RETURN(const AdapterFamily family,
                   AdapterFamilyOf(name.empty() ? "power" : name));
  return std::vector<AdapterFamily>{family};
}

absl::Status ToIds(
    const google::protobuf::RepeatedPtrField<v1::PointId>& messages,
    const std::string& path, std::vector<PointId>* ids) {
  for (int i = 0; i < messages.size(); ++i) {
    ASSIGN_OR_RETURN(PointId id, ToPointId(messages.Get(i),
                                           absl::StrCat(path, "[", i, "]")));
    ids->push_back(std::move(id));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Adapter> ToAdapter(const v1::CosineAdapter& message) {
  Adapter adapter{.name = message.name(), .field = message.field()};
  ASSIGN_OR_RETURN(adapter.family, AdapterFamilyOf(message.family()));
  if (static_cast<size_t>(message.layers_size()) > Mlp::kLayersMax) {
    return InvalidField("layers",
                        absl::StrCat("1 to ", Mlp::kLayersMax, ", got ",
                                     message.layers_size()));
  }
  for (int i = 0; i < message.layers_size(); ++i) {
    const v1::AdapterLayer& layer = message.layers(i);
    const uint32_t outputs = layer.outputs();
    const auto weights = static_cast<uint64_t>(layer.weights_size());
    if (outputs == 0 || weights % outputs != 0 || weights > Mlp::kWeightsMax) {
      return InvalidField(absl::StrCat("layers[", i, "].weights"),
                          absl::StrCat("as many for each of the ", outputs,
                                       " outputs, at most ", Mlp::kWeightsMax,
                                       ", got ", weights));
    }
    adapter.mlp.layers.push_back(
        {static_cast<uint32_t>(weights / outputs),
         outputs,
         {layer.weights().begin(), layer.weights().end()},
         {layer.biases().begin(), layer.biases().end()}});
  }
  adapter.threshold = message.threshold();
  return adapter;
}

void FromAdapter(const Adapter& adapter, bool with_layers,
                 v1::CosineAdapter* message) {
  message->set_name(adapter.name);
  message->set_field(adapter.field);
  message->set_family(std::string(NameOf(adapter.family)));
  message->set_threshold(adapter.threshold);
  message->set_version(adapter.version);
  if (adapter.fit.has_value()) {
    FromFit(*adapter.fit, message->mutable_fit());
  }
  if (!with_layers) {
    return;
  }
  for (const MlpLayer& layer : adapter.mlp.layers) {
    v1::AdapterLayer* const wire = message->add_layers();
    wire->set_outputs(layer.outputs);
    wire->mutable_weights()->Add(layer.weights.begin(), layer.weights.end());
    wire->mutable_biases()->Add(layer.biases.begin(), layer.biases.end());
  }
}

void FromFitProgress(const AdapterFitProgress& progress,
                     v1::FitProgress* message) {
  message->set_stage(progress.family.has_value() ? "training" : "searches");
  if (progress.family.has_value()) {
    message->set_family(std::string(NameOf(*progress.family)));
  }
  message->set_done(progress.done);
  message->set_total(progress.total);
  message->set_loss(progress.loss);
}

absl::StatusOr<AdapterFitRequest> ToAdapterFit(
    const v1::FitAdapterRequest& message) {
  AdapterFitRequest request{.name = message.name(), .field = message.field()};
  ASSIGN_OR_RETURN(request.families, ToFamilies(message.family()));
  if (static_cast<size_t>(message.queries_size()) > limits::kFitQueriesMax) {
    return InvalidField("queries",
                        absl::StrCat("2 to ", limits::kFitQueriesMax, ", got ",
                                     message.queries_size()));
  }
  for (int i = 0; i < message.queries_size(); ++i) {
    const v1::LabelledQuery& wire = message.queries(i);
    const std::string path = absl::StrCat("queries[", i, "].");
    LabelledQuery& query = request.queries.emplace_back();
    ASSIGN_OR_RETURN(query.vector, ToFloats(wire.vector(), path + "vector"));
    RETURN_IF_ERROR(ToIds(wire.relevant(), path + "relevant", &query.relevant));
    RETURN_IF_ERROR(
        ToIds(wire.not_relevant(), path + "not_relevant", &query.not_relevant));
  }
  if (message.has_negatives()) {
    request.negatives = message.negatives();
  }
  request.by_precision = message.has_precision();
  if (message.has_precision()) {
    request.target = message.precision();
  } else if (message.has_recall()) {
    request.target = message.recall();
  }
  if (message.has_held_out()) {
    request.held_out = message.held_out();
  }
  if (message.hidden() != 0) {
    request.training.hidden = message.hidden();
  }
  if (message.epochs() != 0) {
    request.training.epochs = message.epochs();
  }
  request.training.seed = message.seed();
  return request;
}

}  // namespace sextant
