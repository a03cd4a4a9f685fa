// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/status/statusor.h"

#include "index/parallel_nodes.h"
#include "index/vector_codes.h"
#include "index/vector_index.h"

namespace sextant {

// Whether a graph may be built by `codes` of `vectors` (rows of padded stride):
// whether the nearest rows by the floats are among the near ones by the codes.
// They are not where many rows differ by less than a step of the codes.
//
// Scans all rows for a sample of them, which is cheap beside a build and,
// unlike a sample of both ends, sees near copies. Returns the context's error,
// or kResourceExhausted without memory.
absl::StatusOr<bool> CodesOrderRows(VectorShape shape, const float* vectors,
                                    const VectorCodes& codes,
                                    const BuildRun& run);

}  // namespace sextant
