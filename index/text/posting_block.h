// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "index/text/packed_integers.h"
#include "index/text/posting_list.h"

namespace sextant {

// One block of packed postings, as text_layout.h describes it. Readers take
// blocks that have been checked.

// The row before the first one of a list.
inline constexpr Ordinal kBeforeFirstRow = ~Ordinal{0};

inline uint32_t GapBits(const char* block) {
  return static_cast<uint8_t>(block[0]);
}
inline uint32_t CountBits(const char* block) {
  return static_cast<uint8_t>(block[1]);
}
inline constexpr size_t kBlockHeaderBytes = 2;

// Bytes of the gaps, or of the counts, of `count` postings.
inline size_t PackedBytes(uint32_t count, uint32_t bits) {
  return PackedRunBytes(count, bits);  // the same for a whole block
}

// 1 to kBlockPostings rows, ascending, the first above `before`. Either `tfs`
// (each at least 1) or `weights` is as long, the other empty.
struct BlockOfPostings {
  std::span<const Ordinal> rows;
  std::span<const uint32_t> tfs;
  std::span<const float> weights;
};
void AppendBlock(const BlockOfPostings& block, Ordinal before,
                 std::string* out);
// Of each posting as many as its count says, ascending.
void AppendBlockPositions(std::span<const uint32_t> tfs,
                          std::span<const uint32_t> positions,
                          std::string* out);

// `rows` and `tfs` have room for kBlockPostings.
void ReadBlockRows(const char* block, uint32_t count, Ordinal before,
                   Ordinal* rows);
void ReadBlockCounts(const char* block, uint32_t count, uint32_t* tfs);
inline const char* BlockWeights(const char* block, uint32_t count) {
  return block + kBlockHeaderBytes + PackedBytes(count, GapBits(block));
}

// The positions numbered [first, first + count) of a block of positions, which
// belong to one posting.
inline void ReadPositions(const char* block, uint64_t first, uint32_t count,
                          uint32_t* positions) {
  const uint32_t bits = static_cast<uint8_t>(*block);
  uint32_t position = 0;
  for (uint32_t i = 0; i < count; ++i) {
    position += PackedRunAt(block + 1, bits, first + i);
    positions[i] = position;
  }
}

}  // namespace sextant
