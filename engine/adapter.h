// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/schema.h"
#include "ranking/relevance/cosine_adapter.h"
#include "storage/format.pb.h"

namespace sextant {

// What one family reached in a fit, on the pairs that are held out.
struct FamilyFit {
  AdapterFamily family = AdapterFamily::kPower;
  uint32_t epochs = 0;
  double loss = 0;       // mean cross-entropy of a pair in the stopping set
  double threshold = 0;  // 0: none has the precision that was asked for
  double recall = 0;
  double precision = 0;
  double average_precision = 0;
};

// How well an adapter does on labelled queries that it was not trained with.
// Mirrors sextant.v1's AdapterFit.
struct AdapterFit {
  uint64_t queries = 0;
  uint64_t pairs = 0;
  uint64_t held_out_queries = 0;
  uint64_t held_out_pairs = 0;
  uint64_t held_out_relevant = 0;
  uint64_t labels_missing = 0;
  double recall = 0;
  double precision = 0;
  double cosine_recall = 0;
  double cosine_precision = 0;
  double average_precision = 0;
  double cosine_average_precision = 0;
  uint32_t epochs = 0;
  std::vector<FamilyFit> families;  // in the order in which they were tried
};

// A Cosine Adapter of a vector field.
struct Adapter {
  std::string name;
  std::string field;
  AdapterFamily family = AdapterFamily::kPower;
  Mlp mlp;
  double threshold = 0;  // above 0, below 1
  uint64_t version = 0;
  std::optional<AdapterFit> fit;  // of one that was fitted here

  // What a normalised query's cosines are worth.
  AdapterCurve CurveOf(std::span<const float> query) const {
    return AdapterCurve::Of(family, Evaluate(mlp, query));
  }
};

// That there is such a vector field, and that its metric is the cosine:
// InvalidField "field".
absl::Status ValidateAdapterField(const Schema& schema, absl::string_view name);

// That it fits the field, which exists, and the limits: InvalidField with paths
// like "threshold" and "layers[0].weights".
absl::Status ValidateAdapter(const Schema& schema, const Adapter& adapter);

storage::AdapterRecord ToRecord(const Adapter& adapter);
// kDataLoss for what is no valid adapter.
absl::StatusOr<Adapter> FromRecord(const Schema& schema,
                                   const storage::AdapterRecord& record);

}  // namespace sextant
