// SPDX-License-Identifier: Apache-2.0
#include "engine/adapter.h"

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

std::string BytesOf(const std::vector<float>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()),
                     numbers.size() * sizeof(float));
}

std::vector<float> NumbersOf(const std::string& bytes) {
  std::vector<float> numbers(bytes.size() / sizeof(float));
  if (!numbers.empty()) {
    std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(float));
  }
  return numbers;
}

void ToRecord(const AdapterFit& fit, storage::AdapterRecord::Fit* record) {
  record->set_queries(fit.queries);
  record->set_pairs(fit.pairs);
  record->set_held_out_queries(fit.held_out_queries);
  record->set_held_out_pairs(fit.held_out_pairs);
  record->set_held_out_relevant(fit.held_out_relevant);
  record->set_labels_missing(fit.labels_missing);
  record->set_recall(fit.recall);
  record->set_precision(fit.precision);
  record->set_cosine_recall(fit.cosine_recall);
  record->set_cosine_precision(fit.cosine_precision);
  record->set_average_precision(fit.average_precision);
  record->set_cosine_average_precision(fit.cosine_average_precision);
  record->set_epochs(fit.epochs);
  for (const FamilyFit& one : fit.families) {
    auto* const family = record->add_families();
    family->set_family(std::string(NameOf(one.family)));
    family->set_epochs(one.epochs);
    family->set_loss(one.loss);
    family->set_threshold(one.threshold);
    family->set_recall(one.recall);
    family->set_precision(one.precision);
    family->set_average_precision(one.average_precision);
  }
}

absl::StatusOr<AdapterFit> FromRecord(
    const storage::AdapterRecord::Fit& record) {
  AdapterFit fit;
  fit.queries = record.queries();
  fit.pairs = record.pairs();
  fit.held_out_queries = record.held_out_queries();
  fit.held_out_pairs = record.held_out_pairs();
  fit.held_out_relevant = record.held_out_relevant();
  fit.labels_missing = record.labels_missing();
  fit.recall = record.recall();
  fit.precision = record.precision();
  fit.cosine_recall = record.cosine_recall();
  fit.cosine_precision = record.cosine_precision();
  fit.average_precision = record.average_precision();
  fit.cosine_average_precision = record.cosine_average_precision();
  fit.epochs = record.epochs();
  for (const auto& one : record.families()) {
    ASSIGN_OR_RETURN(const AdapterFamily family, AdapterFamilyOf(one.family()));
    fit.families.push_back({family, one.epochs(), one.loss(), one.threshold(),
                            one.recall(), one.precision(),
                            one.average_precision()});
  }
  return fit;
}

absl::StatusOr<Adapter> Parse(const storage::AdapterRecord& record) {
  Adapter adapter{.name = record.name(), .field = record.field()};
  ASSIGN_OR_RETURN(adapter.family, AdapterFamilyOf(record.family()));
  for (const storage::AdapterRecord::Layer& layer : record.layers()) {
    adapter.mlp.layers.push_back({layer.inputs(), layer.outputs(),
                                  NumbersOf(layer.weights()),
                                  NumbersOf(layer.biases())});
  }
  adapter.threshold = record.threshold();
  adapter.version = record.version();
  if (record.has_fit()) {
    ASSIGN_OR_RETURN(adapter.fit, FromRecord(record.fit()));
  }
  return adapter;
}

}  // namespace

absl::Status ValidateAdapterField(const Schema& schema,
                                  absl::string_view name) {
  const std::optional<uint16_t> position = schema.FindVectorField(name);
  if (!position.has_value()) {
    return InvalidField(
        "field", absl::StrCat("no vector field '", ShownText(name, 64), "'"));
  }
  const VectorFieldSchema& field = schema.vector_fields[*position];
  if (field.metric != Metric::kCosine) {
    return InvalidField(
        "field", absl::StrCat("adapters are for cosines, and the metric of '",
                              field.name, "' is ", MetricName(field.metric)));
  }
  return absl::OkStatus();
}

absl::Status ValidateAdapter(const Schema& schema, const Adapter& adapter) {
  RETURN_IF_ERROR(ValidateName(adapter.name, "name"));
  RETURN_IF_ERROR(ValidateAdapterField(schema, adapter.field));
  const VectorFieldSchema& field =
      schema.vector_fields[*schema.FindVectorField(adapter.field)];
  if (!(adapter.threshold > 0 && adapter.threshold < 1)) {
    return InvalidField("threshold", absl::StrCat("above 0 and below 1, got ",
                                                  adapter.threshold));
  }
  return ValidateMlp(adapter.mlp, field.dimension,
                     ParameterCount(adapter.family));
}

storage::AdapterRecord ToRecord(const Adapter& adapter) {
  storage::AdapterRecord record;
  record.set_name(adapter.name);
  record.set_field(adapter.field);
  record.set_family(std::string(NameOf(adapter.family)));
  for (const MlpLayer& layer : adapter.mlp.layers) {
    storage::AdapterRecord::Layer* const made = record.add_layers();
    made->set_inputs(layer.inputs);
    made->set_outputs(layer.outputs);
    made->set_weights(BytesOf(layer.weights));
    made->set_biases(BytesOf(layer.biases));
  }
  record.set_threshold(adapter.threshold);
  record.set_version(adapter.version);
  if (adapter.fit.has_value()) {
    ToRecord(*adapter.fit, record.mutable_fit());
  }
  return record;
}

absl::StatusOr<Adapter> FromRecord(const Schema& schema,
                                   const storage::AdapterRecord& record) {
  absl::StatusOr<Adapter> adapter = Parse(record);
  const absl::Status valid =
      adapter.ok() ? ValidateAdapter(schema, *adapter) : adapter.status();
  if (!valid.ok()) {
    return absl::DataLossError(
        absl::StrCat("adapter '", record.name(), "': ", valid.message()));
  }
  return adapter;
}

}  // namespace sextant
