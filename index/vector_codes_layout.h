// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>

#include "index/distance.h"

namespace sextant {

// First 64 bytes of a code section, little-endian.
struct CodesHeader {
  uint32_t magic = 0;
  uint32_t version = 0;
  uint32_t dimension = 0;
  uint32_t nodes = 0;
  uint32_t stride = 0;
  uint32_t has_row_scales = 0;
  float scale = 0;  // of all rows, without row scales
  // 99.9 % of the distances are this near to the floats', for a query (under
  // kL2: less the mean) of norm 1.
  float error = 0;
};

// Layout: the header, the mean (floats, padded to lines), then `stride` bytes
// a node: its codes, zeros and, with row scales, a RowTail at the end. Rows
// start on cache lines.
struct CodesLayout {
  static constexpr uint32_t kMagic = 0x43565853;  // "SXVC"
  static constexpr uint32_t kVersion = 1;
  static constexpr size_t kHeaderBytes = 64;
  static constexpr int kZeroCode = 128;
  static constexpr float kCodeMax = 127;

  struct RowTail {
    float scale = 0;
    float squared_norm = 0;  // of the row less the mean
  };

  static size_t RowsAt(uint32_t dimension) {
    return kHeaderBytes + PaddedStride(dimension) * sizeof(float);
  }
  static uint32_t Stride(const CodesHeader& header) {
    const size_t bytes =
        header.dimension + (header.has_row_scales != 0 ? sizeof(RowTail) : 0);
    return static_cast<uint32_t>((bytes + kLineBytes - 1) / kLineBytes *
                                 kLineBytes);
  }
};
static_assert(sizeof(CodesHeader) <= CodesLayout::kHeaderBytes);

}  // namespace sextant
