// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/adapter.h"
#include "engine/collection.h"
#include "engine/point.h"
#include "ranking/relevance/adapter_training.h"

namespace sextant {

// A query and what is said of points.
struct LabelledQuery {
  std::vector<float> vector;
  std::vector<PointId> relevant;
  std::vector<PointId> not_relevant;
};

struct AdapterFitRequest {
  std::string name;
  std::string field;  // empty: the collection's only one
  std::vector<LabelledQuery> queries;
  // Of each query's nearest points so many count as not relevant, unless they
  // are labelled.
  uint32_t negatives = 100;
  // What the threshold is chosen for, on what is held out.
  bool by_precision = false;  // else by recall
  double target = 0.95;
  double held_out = 0.3;  // share of the queries
  // Those that are fitted, at least one; the best is kept.
  std::vector<AdapterFamily> families = {AdapterFamily::kPower};
  TrainingOptions training;  // its family is not read
};

// Where a fit stands.
struct AdapterFitProgress {
  // Empty: while the queries are searched for.
  std::optional<AdapterFamily> family;
  uint64_t done = 0;  // queries, or passes over those of the training
  uint64_t total = 0;
  double loss = 0;  // of the last pass, as of TrainingEpoch
};
// Told often; may wait for a slow reader.
using OnFitProgress = absl::FunctionRef<void(const AdapterFitProgress&)>;

// Index of the best of several: the one with the greatest average precision on
// what is held out, which says how well all thresholds do, and of equal ones
// the first. Not the precision at the target: on the few pairs near one
// threshold that is mostly chance. Those without a threshold do not count;
// nothing if none has one.
std::optional<size_t> BestFamily(std::span<const FamilyFit> families);

// Fits an adapter and puts it into the collection's catalogue: searches for
// each query, trains on one part of the queries, and chooses the threshold on
// the other, for each family; the best is kept. Ends when the collection is
// dropped (kNotFound). Labels whose points do not exist are left out and
// counted. InvalidField with paths like "queries[3].vector";
// kFailedPrecondition when a part has no relevant point or no other one, or
// when no threshold has the precision.
absl::StatusOr<std::shared_ptr<const Adapter>> FitAdapter(
    Collection* collection, const AdapterFitRequest& request,
    OnFitProgress progress, const RequestContext& context);

}  // namespace sextant
