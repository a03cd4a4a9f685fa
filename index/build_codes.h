// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

#include "index/aligned_array.h"
#include "index/parallel_nodes.h"
#include "index/vector_index.h"

namespace sextant {

// The codes that the searches of a build read, of rows [0, nodes) of padded
// stride; empty: the floats. The fewest bits with which a beam of
// `ef_construction` holds the nearest rows: of a sample, exact answers by
// codes and by floats are compared. Returns the context's error.
absl::StatusOr<AlignedBytes> ChooseBuildCodes(VectorShape shape,
                                              const float* vectors,
                                              uint32_t nodes,
                                              uint32_t ef_construction,
                                              const BuildRun& run);

}  // namespace sextant
