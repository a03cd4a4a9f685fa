// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "index/parallel_nodes.h"
#include "index/vector_index_builder.h"

namespace sextant {

// Puts `rows` (numbers of input rows) into the order in which a graph should
// take them up: isolated vectors first, those in dense regions last, whatever
// order they came in. Links between far regions are made while the graph is
// small, and outliers, which a late insertion leaves with few ways in, become
// its backbone. Isolation is the distance to the 6th nearest of 256 random
// rows. Figures: docs/adr/0004-frozen-graph.md.
absl::Status OrderForInsertion(const VectorIndexInput& input,
                               const BuildRun& run,
                               std::vector<uint32_t>& rows);

}  // namespace sextant
