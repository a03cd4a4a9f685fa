// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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
  TrainingOptions training;
};

// Fits an adapter and puts it into the collection's catalogue: searches for
// each query, trains on one part of the queries, and chooses the threshold on
// the other. Labels whose points do not exist are left out and counted.
// InvalidField with paths like "queries[3].vector"; kFailedPrecondition when a
// part has no relevant point or no other one, or when no threshold has the
// precision.
absl::StatusOr<std::shared_ptr<const Adapter>> FitAdapter(
    Collection* collection, const AdapterFitRequest& request,
    const RequestContext& context);

}  // namespace sextant
