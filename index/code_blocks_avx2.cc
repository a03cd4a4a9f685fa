// SPDX-License-Identifier: Apache-2.0
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

// By function, not by file: see distance_avx512.cc.
#define SEXTANT_TARGET __attribute__((target("avx2")))
#define SEXTANT_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kHalfChunk = kChunkBytes / 2;

SEXTANT_INLINE __m256i Load(const uint8_t* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

// Four numbers of the query, in every lane of 32 bits.
SEXTANT_INLINE __m256i Four(const int8_t* query) {
  int32_t four = 0;
  std::memcpy(&four, query, sizeof(four));
  return _mm256_set1_epi32(four);
}

// Bytes at even places, in lanes of 16 bits: as they are, and with their sign.
SEXTANT_INLINE __m256i Even(__m256i bytes) {
  return _mm256_and_si256(bytes, _mm256_set1_epi16(255));
}
SEXTANT_INLINE __m256i EvenSigned(__m256i bytes) {
  return _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
}

// The instruction for bytes saturates: 255 * 127 twice is past 16 bits.
SEXTANT_INLINE __m256i CodeProducts(__m256i codes, __m256i query) {
  return _mm256_add_epi32(_mm256_madd_epi16(Even(codes), EvenSigned(query)),
                          _mm256_madd_epi16(_mm256_srli_epi16(codes, 8),
                                            _mm256_srai_epi16(query, 8)));
}

// Four products of half a byte stay far below its limit.
SEXTANT_INLINE __m256i NibbleProducts(__m256i codes, __m256i low,
                                      __m256i high) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i sums = _mm256_add_epi16(
      _mm256_maddubs_epi16(_mm256_and_si256(codes, mask), low),
      _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(codes, 4), mask),
                           high));
  return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

SEXTANT_INLINE void Store(__m256i first, __m256i second, int32_t* out) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), first);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + kBlockRows / 2), second);
}

// `high` is for 4-bit codes only.
template <bool kNibbles>
SEXTANT_INLINE __m256i HalfChunk(const uint8_t* bytes, const int8_t* query,
                                 size_t high) {
  return kNibbles ? NibbleProducts(Load(bytes), Four(query), Four(query + high))
                  : CodeProducts(Load(bytes), Four(query));
}

template <bool kNibbles>
SEXTANT_INLINE void DotBlocks(const int8_t* query, size_t high,
                              const CodeBlocks& blocks, int32_t* out) {
  for (size_t block = 0; block < blocks.count; ++block, out += kBlockRows) {
    const uint8_t* chunk = blocks.bytes + block * blocks.step;
    __m256i first = _mm256_setzero_si256();
    __m256i second = first;
    for (size_t c = 0; c < blocks.chunks; ++c, chunk += kChunkBytes) {
      const int8_t* const four = query + 4 * c;
      first = _mm256_add_epi32(first, HalfChunk<kNibbles>(chunk, four, high));
      second = _mm256_add_epi32(
          second, HalfChunk<kNibbles>(chunk + kHalfChunk, four, high));
    }
    Store(first, second, out);
  }
}

}  // namespace

SEXTANT_TARGET void CodeDotBlocksAvx2(const int8_t* query,
                                      const CodeBlocks& blocks, int32_t* out) {
  DotBlocks<false>(query, 0, blocks, out);
}

SEXTANT_TARGET void NibbleDotBlocksAvx2(const int8_t* query, size_t high,
                                        const CodeBlocks& blocks,
                                        int32_t* out) {
  DotBlocks<true>(query, high, blocks, out);
}

}  // namespace sextant

#endif  // defined(__x86_64__)
