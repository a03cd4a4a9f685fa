// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/optional.h"

#include "clients/cpp/types.h"

namespace sextant::client {

// Meanings and limits as in sextant/v1/adapter_service.proto.

// y = W x + b.
struct AdapterLayer {
  uint32_t outputs = 0;
  std::vector<float> weights;  // outputs x inputs, row by row
  std::vector<float> biases;
};

// What a family of curves reached on the pairs that are held out.
struct FamilyFit {
  std::string family;
  uint32_t epochs = 0;
  double loss = 0;
  double threshold = 0;  // 0: none has the precision
  double recall = 0;
  double precision = 0;
  double average_precision = 0;
};

// How well an adapter does on labelled queries that it was not trained with.
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
  std::vector<FamilyFit> families;  // those that were tried
};

// What a cosine is worth for one query, and where an answer ends.
struct CosineAdapter {
  std::string name;
  std::string field;  // empty in requests: the collection's only one
  std::string family = "power";
  std::vector<AdapterLayer> layers;  // of answers only where asked for
  double threshold = 0;
  // Of answers.
  uint64_t version = 0;
  absl::optional<AdapterFit> fit;
};

struct LabelledQuery {
  std::vector<float> vector;
  std::vector<PointId> relevant;
  std::vector<PointId> not_relevant;
};

struct AdapterFitRequest {
  std::string name;
  std::string field;
  std::string family;  // empty: power; "auto": the best of all
  std::vector<LabelledQuery> queries;
  absl::optional<uint32_t> negatives;
  // At most one; neither: a recall of 0.95.
  absl::optional<double> recall;
  absl::optional<double> precision;
  absl::optional<double> held_out;
  uint32_t hidden = 0;  // 0: 128
  uint32_t epochs = 0;  // 0: 300
  uint64_t seed = 0;
};

// Where a fit stands: queries that were searched for, or passes of the training
// of one family.
struct FitProgress {
  std::string stage;
  std::string family;
  uint64_t done = 0;
  uint64_t total = 0;
  double loss = 0;
};

// Told by the calling thread; false ends the work, and the call is CANCELLED.
// May be empty.
using OnFitProgress = std::function<bool(const FitProgress& progress)>;

}  // namespace sextant::client
