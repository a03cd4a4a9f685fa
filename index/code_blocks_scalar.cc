// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "index/distance_kernels.h"

namespace sextant {
namespace {

template <typename Dot>
void DotBlocks(const CodeBlocks& blocks, Dot dot, int32_t* out) {
  for (size_t block = 0; block < blocks.count; ++block, out += kBlockRows) {
    const uint8_t* chunk = blocks.bytes + block * blocks.step;
    std::fill_n(out, kBlockRows, 0);
    for (size_t c = 0; c < blocks.chunks; ++c, chunk += kChunkBytes) {
      for (size_t row = 0; row < kBlockRows; ++row) {
        for (size_t j = 0; j < 4; ++j) {
          out[row] += dot(chunk[4 * row + j], 4 * c + j);
        }
      }
    }
  }
}

}  // namespace

void CodeDotBlocksScalar(const int8_t* query, const CodeBlocks& blocks,
                         int32_t* out) {
  DotBlocks(
      blocks, [query](int32_t code, size_t j) { return code * query[j]; }, out);
}

void NibbleDotBlocksScalar(const int8_t* query, size_t high,
                           const CodeBlocks& blocks, int32_t* out) {
  DotBlocks(
      blocks,
      [query, high](int32_t codes, size_t j) {
        return (codes & 15) * query[j] + (codes >> 4) * query[high + j];
      },
      out);
}

}  // namespace sextant
