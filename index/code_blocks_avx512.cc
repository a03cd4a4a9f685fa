// SPDX-License-Identifier: Apache-2.0
#include "index/avx512_intrinsics.h"
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <cstring>

// By function, not by file: see distance_avx512.cc.
#define SEXTANT_TARGET \
  __attribute__((target("avx2,avx512f,avx512bw,avx512vnni")))
#define SEXTANT_INLINE                                       \
  __attribute__((target("avx2,avx512f,avx512bw,avx512vnni"), \
                 always_inline)) inline

namespace sextant {
namespace {

// How far ahead blocks are fetched: the processor's own prefetching stops at
// every page.
constexpr size_t kAheadBytes = 2048;

SEXTANT_INLINE __m512i Load(const uint8_t* chunk) {
  _mm_prefetch(chunk + kAheadBytes, _MM_HINT_T0);
  return _mm512_loadu_si512(chunk);
}

// Four numbers of the query, in every lane.
SEXTANT_INLINE __m512i Four(const int8_t* query) {
  int32_t four = 0;
  std::memcpy(&four, query, sizeof(four));
  return _mm512_set1_epi32(four);
}

}  // namespace

SEXTANT_TARGET void CodeDotBlocksAvx512(const int8_t* query,
                                        const CodeBlocks& blocks,
                                        int32_t* out) {
  for (size_t block = 0; block < blocks.count; ++block, out += kBlockRows) {
    const uint8_t* chunk = blocks.bytes + block * blocks.step;
    // Two sums, so that one addition need not wait for the other.
    __m512i even = _mm512_setzero_si512();
    __m512i odd = even;
    size_t c = 0;
    for (; c + 2 <= blocks.chunks; c += 2, chunk += 2 * kChunkBytes) {
      even = _mm512_dpbusd_epi32(even, Load(chunk), Four(query + 4 * c));
      odd = _mm512_dpbusd_epi32(odd, Load(chunk + kChunkBytes),
                                Four(query + 4 * c + 4));
    }
    if (c < blocks.chunks) {
      even = _mm512_dpbusd_epi32(even, Load(chunk), Four(query + 4 * c));
    }
    _mm512_storeu_si512(out, _mm512_add_epi32(even, odd));
  }
}

SEXTANT_TARGET void NibbleDotBlocksAvx512(const int8_t* query, size_t high,
                                          const CodeBlocks& blocks,
                                          int32_t* out) {
  const __m512i mask = _mm512_set1_epi8(15);
  for (size_t block = 0; block < blocks.count; ++block, out += kBlockRows) {
    const uint8_t* chunk = blocks.bytes + block * blocks.step;
    __m512i low = _mm512_setzero_si512();
    __m512i upper = low;
    for (size_t c = 0; c < blocks.chunks; ++c, chunk += kChunkBytes) {
      const __m512i codes = Load(chunk);
      low = _mm512_dpbusd_epi32(low, _mm512_and_si512(codes, mask),
                                Four(query + 4 * c));
      upper = _mm512_dpbusd_epi32(
          upper, _mm512_and_si512(_mm512_srli_epi16(codes, 4), mask),
          Four(query + high + 4 * c));
    }
    _mm512_storeu_si512(out, _mm512_add_epi32(low, upper));
  }
}

}  // namespace sextant

#endif  // defined(__x86_64__)
