// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

#include "server/serving_state.h"

namespace sextant {

// Metrics that are read off when somebody asks: collections, index, store,
// process, build. Per-collection series are capped: the first
// `collection_labels_max` collections by name have their own, the rest is
// summed under the label "(other)", which no collection can be called.
//
// Owned by the daemon. Thread-safe.
class StateMetrics final : public prometheus::Collectable {
 public:
  // `state` outlives this.
  StateMetrics(const ServingState* state, size_t collection_labels_max)
      : state_(state), collection_labels_max_(collection_labels_max) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const ServingState* const state_;
  const size_t collection_labels_max_;
};

}  // namespace sextant
