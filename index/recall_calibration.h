// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>

#include "absl/status/statusor.h"

#include "index/parallel_nodes.h"
#include "index/recall_curve.h"
#include "index/vector_index.h"

namespace sextant {

// Measures what search efforts are worth on a built index: takes 100 to 300 of
// its rows, always the same, finds the nearest other rows of each by a scan
// and by graph searches of growing effort, and counts: by the floats' scores,
// also where searches keep those of the codes. The row itself is hidden
// from its searches: it lies in the graph with links to what is nearest, which
// no real query does. Costs some percent of the build, most of it in memory
// reads of the scan.
//
// Empty where there is nothing to measure: no graph, or too few rows. Returns
// the context's error.
class RecallCalibration {
 public:
  static absl::StatusOr<std::optional<RecallCurve>> Run(
      const VectorIndex& index, const BuildRun& run);

 private:
  class Sample;
};

}  // namespace sextant
