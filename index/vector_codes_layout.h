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
  uint32_t metric = 0;
  uint32_t dimension = 0;
  uint32_t nodes = 0;
  uint32_t stride = 0;  // bytes between rows
  uint32_t bits = 0;    // of a code: 4 or 8
  // 99.9 % of the distances are this near to the floats', for a query (under
  // kL2: less the mean) of norm 1.
  float error = 0;
};

// Layout: the header, the mean (floats, padded to lines), then `stride` bytes
// a node, which start on cache lines. A row holds the codes and, where that
// takes no further line, its RowTail at the end; otherwise the tails of all
// rows follow the last row.
//
// With 4 bits, byte j holds number j in its low half and number j + (d + 1) / 2
// in its high half.
struct CodesLayout {
  static constexpr uint32_t kMagic = 0x43565853;  // "SXVC"
  static constexpr uint32_t kVersion = 2;
  static constexpr size_t kHeaderBytes = 64;
  static constexpr int kZeroCode = 128;   // of 8 bits
  static constexpr float kCodeMax = 127;  // less the zero code
  // A 4-bit code c stands for c - 7.5 steps.
  static constexpr float kNibbleMax = 7.5F;

  struct RowTail {
    float scale = 0;         // what a step is worth
    float squared_norm = 0;  // of the row less the mean
  };

  static size_t CodeBytes(const CodesHeader& header) {
    return header.bits == 4 ? NibbleHalf(header.dimension) : header.dimension;
  }
  static size_t NibbleHalf(size_t dimension) { return (dimension + 1) / 2; }
  static uint32_t Stride(const CodesHeader& header) {
    return static_cast<uint32_t>(InLines(CodeBytes(header)));
  }
  static bool HasTailsInRows(const CodesHeader& header) {
    return InLines(CodeBytes(header) + sizeof(RowTail)) == Stride(header);
  }

  static size_t RowsAt(uint32_t dimension) {
    return kHeaderBytes + PaddedStride(dimension) * sizeof(float);
  }
  // Where the tail of node 0 is; that of the next is TailStep() further.
  static size_t TailsAt(const CodesHeader& header) {
    return RowsAt(header.dimension) +
           (HasTailsInRows(header) ? header.stride - sizeof(RowTail)
                                   : uint64_t{header.nodes} * header.stride);
  }
  static size_t TailStep(const CodesHeader& header) {
    return HasTailsInRows(header) ? header.stride : sizeof(RowTail);
  }
  static size_t TotalBytes(const CodesHeader& header) {
    return RowsAt(header.dimension) +
           uint64_t{header.nodes} *
               (header.stride + (HasTailsInRows(header) ? 0 : sizeof(RowTail)));
  }

 private:
  static size_t InLines(size_t bytes) {
    return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes;
  }
};
static_assert(sizeof(CodesHeader) <= CodesLayout::kHeaderBytes);

}  // namespace sextant
