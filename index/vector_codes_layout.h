// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>

#include "index/distance.h"
#include "index/random_rotation.h"

namespace sextant {

// First 64 bytes of a code section, little-endian.
struct CodesHeader {
  uint32_t magic = 0;
  uint32_t version = 0;
  uint32_t metric = 0;
  uint32_t dimension = 0;
  uint32_t nodes = 0;
  uint32_t stride = 0;  // bytes between rows
  uint32_t bits = 0;    // of a code: one of kCodeBits
  // 99.9 % of the distances are this near to the floats', for a query (under
  // kL2: less the mean) of norm 1.
  float error = 0;
  // Share of the hits that a sample of searches lost against searches by
  // floats; below 0 if it found more.
  float recall_loss = 0;
};

inline constexpr uint32_t kCodeBits[] = {1, 4, 8, 16};

// Layout: the header, the mean (floats, padded to lines), then `stride` bytes
// a node, which start on cache lines. A row holds the codes and, where that
// takes no further line, its RowTail at the end; otherwise the tails of all
// rows follow the last row. Codes of 16 bits have no tails, rows of 1-bit codes
// below a line start on half lines.
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
  static constexpr float kPlaneCodeMax = 7;  // of a query for 1-bit codes

  struct RowTail {
    float scale = 0;         // what a step is worth
    float squared_norm = 0;  // of the row less the mean
  };

  static size_t CodeBytes(const CodesHeader& header) {
    switch (header.bits) {
      case 1:
        return RandomRotation::PaddedDimension(header.dimension) / 8;
      case 4:
        return NibbleHalf(header.dimension);
      case 16:
        return size_t{header.dimension} * 2;
      default:
        return header.dimension;
    }
  }
  static size_t TailBytes(const CodesHeader& header) {
    return header.bits == 16 ? 0 : sizeof(RowTail);
  }
  static size_t NibbleHalf(size_t dimension) { return (dimension + 1) / 2; }
  static uint32_t Stride(const CodesHeader& header) {
    constexpr size_t kHalfLine = kLineBytes / 2;
    const size_t bytes = CodeBytes(header);
    return static_cast<uint32_t>(header.bits == 1 &&
                                         bytes + sizeof(RowTail) <= kHalfLine
                                     ? kHalfLine
                                     : InLines(bytes));
  }
  static bool HasTailsInRows(const CodesHeader& header) {
    return CodeBytes(header) + TailBytes(header) <= Stride(header);
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
