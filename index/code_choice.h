// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

#include "index/aligned_array.h"
#include "index/encoding.h"
#include "index/parallel_nodes.h"
#include "index/vector_index.h"

namespace sextant {

struct CodeChoice {
  VectorShape shape;
  uint32_t segment_ordinals = 0;
  Encoding encoding = Encoding::kAuto;
  uint32_t nodes = 0;
};

// The codes that searches of a built index read; empty: the floats. Under kAuto
// the fewest bits whose searches find what searches by floats find. Codes
// cannot tell apart rows that differ by less than a step, and data with many
// such rows (near copies, a few numbers of great weight) loses recall. Another
// encoding is used whatever it loses; kBinary is never chosen, because it
// always does. Empty too for numbers that no code can hold.
//
// Searches for a sample of the rows both ways, so it knows this data, not just
// the size of a step; the loss is in the codes' header. `built` are codes of
// the nodes that are there already, or empty: they are not made again. Returns
// the context's error.
absl::StatusOr<AlignedBytes> ChooseCodes(const CodeChoice& choice,
                                         const VectorIndexBytes& floats,
                                         AlignedBytes built,
                                         const BuildRun& run);

}  // namespace sextant
