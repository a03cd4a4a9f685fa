// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/status/statusor.h"

#include "base/context.h"
#include "index/vector_index.h"

namespace sextant {

// Whether searches of a built index may read its codes: false where they would
// find noticeably less than with the floats. Codes cannot tell apart rows that
// differ by less than a step, and data with many such rows (near copies, a few
// numbers of great weight) loses recall.
//
// Searches for a sample of the rows both ways, so it knows this data, not just
// the size of a step. Returns the context's error.
absl::StatusOr<bool> CodesKeepRecall(VectorShape shape,
                                     uint32_t segment_ordinals,
                                     const VectorIndexBytes& bytes,
                                     const RequestContext& context);

}  // namespace sextant
