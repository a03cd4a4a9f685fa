// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace sextant {

// Integers of `bits` bits each, 0 <= bits <= 32 (the width of the largest).
//
// Whole blocks of 128 are stored in four interleaved lanes, so that any
// processor with 128-bit registers unpacks four at once without shuffling
// (Lemire & Boytsov 2015, SIMD-BP128). Shorter runs are one stream of bits, of
// which each can be read alone.

inline uint32_t BitWidth(uint32_t largest) {
  return static_cast<uint32_t>(std::bit_width(largest));
}
uint32_t BitWidthOf(std::span<const uint32_t> values);

// 128 values in 16 * bits bytes.
void AppendPackedBlock(const uint32_t* values, uint32_t bits, std::string* out);
void UnpackBlock(const char* in, uint32_t bits, uint32_t* values);

// 128 distances from one row to the next, less 1, become rows: `before` is the
// row before the first one (-1, that is 2^32 - 1, at the beginning).
void RowsFromGaps(uint32_t before, uint32_t* values);

constexpr size_t PackedRunBytes(uint64_t count, uint32_t bits) {
  return static_cast<size_t>((count * bits + 7) / 8);
}
void AppendPackedRun(std::span<const uint32_t> values, uint32_t bits,
                     std::string* out);
// One value of such a run. Reads 8 bytes from the one where it begins.
inline uint32_t PackedRunAt(const char* in, uint32_t bits, uint64_t i) {
  const uint64_t bit = i * bits;
  uint64_t word = 0;
  std::memcpy(&word, in + bit / 8, sizeof(word));
  return static_cast<uint32_t>((word >> (bit % 8)) &
                               ((uint64_t{1} << bits) - 1));
}

// What readers may touch past the end of packed bytes.
inline constexpr size_t kPackedPadding = 16;

}  // namespace sextant
