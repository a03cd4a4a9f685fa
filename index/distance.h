// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

namespace sextant {

// Codes of rows in blocks of kBlockRows, for reading rows one after another:
// chunk c of a block holds bytes 4 c to 4 c + 3 of each of its rows, row by
// row. So a register holds one chunk, and no sum runs across its lanes.
struct CodeBlocks {
  const uint8_t* bytes = nullptr;
  size_t chunks = 0;  // of kChunkBytes, in a block
  size_t step = 0;    // bytes from one block to the next
  size_t count = 0;   // of blocks
};
inline constexpr size_t kBlockRows = 16;
inline constexpr size_t kChunkBytes = 4 * kBlockRows;

// Distance kernels of one instruction set. All kernels of one set give the
// same float for the same pair, alone or in a batch, aligned or not, so that
// every query plan gives the same score.
struct DistanceKernels {
  // "scalar", "avx2", "avx512", "avx512vnni", "avx512popcnt"
  absl::string_view name;

  float (*inner_product)(const float* a, const float* b, size_t dimension);
  float (*squared_l2)(const float* a, const float* b, size_t dimension);

  // The same for gathered rows: out[i] = f(query, base + rows[i] * stride),
  // several rows at a time with prefetch.
  void (*inner_product_rows)(const float* query, const float* base,
                             size_t stride, size_t dimension,
                             std::span<const uint32_t> rows, float* out);
  void (*squared_l2_rows)(const float* query, const float* base, size_t stride,
                          size_t dimension, std::span<const uint32_t> rows,
                          float* out);

  // Products of 8-bit codes (vector_codes.h): out[i] is the sum of query[j] *
  // (base + rows[i] * stride)[j] for j below `stride`, a multiple of 64.
  // Integers, so that every set gives the same.
  void (*code_dot_rows)(const int8_t* query, const uint8_t* base, size_t stride,
                        std::span<const uint32_t> rows, int32_t* out);
  // The same for rows of 4-bit codes: low halves of the bytes meet query[j],
  // high halves query[stride + j].
  void (*nibble_dot_rows)(const int8_t* query, const uint8_t* base,
                          size_t stride, std::span<const uint32_t> rows,
                          int32_t* out);
  // Products of 8-bit codes in blocks: out[i] for row i of all blocks. `query`
  // has 4 numbers a chunk.
  void (*code_dot_blocks)(const int8_t* query, const CodeBlocks& blocks,
                          int32_t* out);
  // Of 4-bit codes: low halves of the bytes meet query[j], high halves
  // query[high + j].
  void (*nibble_dot_blocks)(const int8_t* query, size_t high,
                            const CodeBlocks& blocks, int32_t* out);
  // For rows of bits: the sum of a number for every bit that is set.
  // The numbers, -8 to 7, come as kBitPlanes planes of `stride` bytes: plane p
  // has bit p of each, and the last one counts negative. `stride` is a multiple
  // of 32.
  void (*bit_dot_rows)(const int8_t* planes, const uint8_t* base, size_t stride,
                       std::span<const uint32_t> rows, int32_t* out);

  // Inner products and squared L2 distances of floats and rows of bf16 numbers
  // (the upper halves of floats), `stride` / 2 of them, zeros at the end
  // included. Products are rounded, then added in one fixed order, so that
  // every set gives the same bits.
  void (*bf16_product_rows)(const float* query, const uint8_t* base,
                            size_t stride, std::span<const uint32_t> rows,
                            float* out);
  void (*bf16_l2_rows)(const float* query, const uint8_t* base, size_t stride,
                       std::span<const uint32_t> rows, float* out);
};

// The widest set that this processor runs, chosen once. The environment
// variable SEXTANT_SIMD=scalar|avx2|avx512|... lowers it (for tests and
// support).
const DistanceKernels& Kernels();

// Every set this processor runs, for tests.
std::span<const DistanceKernels* const> SupportedKernels();

// Scales `vector` to unit length in place (double accumulation). False, and
// unchanged, when its norm is zero or not finite.
bool Normalize(std::span<float> vector);

// How much of a row is worth prefetching: four cache lines. The row kernels do
// that for the rows after the first kBatchRows; their caller may for those.
inline constexpr size_t kLineFloats = 16;
inline constexpr size_t kPrefetchFloats = 4 * kLineFloats;
inline constexpr size_t kBatchRows = 4;
inline constexpr size_t kBitPlanes = 4;
inline constexpr size_t kLineBytes = 64;
inline constexpr size_t kPrefetchCodes = 8 * kLineBytes;

// floats between rows in our layouts: dimension rounded up to 16 (64 bytes).
constexpr size_t PaddedStride(size_t dimension) {
  return (dimension + 15) / 16 * 16;
}

}  // namespace sextant
