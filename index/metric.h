// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

namespace sextant {

// How two vectors are compared. Scores are bigger-is-better everywhere:
//   kCosine        inner product of normalised vectors, -1 to 1
//   kInnerProduct  inner product
//   kL2            -(squared Euclidean distance)
enum class Metric : uint8_t { kCosine = 1, kInnerProduct = 2, kL2 = 3 };

// Rows are numbered from 0 inside a segment. "Ordinal" = number of a point in
// its segment; a vector field that some points lack has fewer rows than the
// segment has ordinals.
using Ordinal = uint32_t;

}  // namespace sextant
