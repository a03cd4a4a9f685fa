// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>

namespace sextant {

// How alike two vectors are; bigger is more alike.
enum class Similarity : uint8_t {
  kProduct,          // inner product; the cosine of unit vectors
  kNegativeSquares,  // -|a - b|^2
};

// Rows of floats that somebody else owns: `count` rows of `dimension` numbers,
// `stride` floats apart.
struct VectorRows {
  const float* data = nullptr;
  size_t count = 0;
  uint32_t dimension = 0;
  size_t stride = 0;

  const float* row(size_t i) const { return data + i * stride; }
  VectorRows Sub(size_t first, size_t rows) const {
    return {data + first * stride, rows, dimension, stride};
  }
};

}  // namespace sextant
