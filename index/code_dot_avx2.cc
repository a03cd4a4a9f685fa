// SPDX-License-Identifier: Apache-2.0
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

// By function, not by file: see distance_avx512.cc.
#define SEXTANT_TARGET __attribute__((target("avx2")))
#define SEXTANT_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kLanes = 16;

// AVX2's own product of unsigned and signed bytes saturates, so both are
// widened to 16 bits first.
template <size_t kRows>
SEXTANT_INLINE void Dots(const int8_t* query, const uint8_t* const* rows,
                         size_t size, int32_t* out) {
  __m256i sums[kRows];
  for (size_t r = 0; r < kRows; ++r) {
    sums[r] = _mm256_setzero_si256();
  }
  for (size_t i = 0; i < size; i += kLanes) {
    const __m256i q = _mm256_cvtepi8_epi16(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(query + i)));
    for (size_t r = 0; r < kRows; ++r) {
      const __m256i row = _mm256_cvtepu8_epi16(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + i)));
      sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(row, q));
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums[r]),
                                       _mm256_extracti128_si256(sums[r], 1));
    const __m128i two =
        _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
    const __m128i one =
        _mm_add_epi32(two, _mm_shuffle_epi32(two, _MM_SHUFFLE(2, 3, 0, 1)));
    out[r] = _mm_cvtsi128_si32(one);
  }
}

SEXTANT_INLINE void Prefetch(const uint8_t* row, size_t size) {
  for (size_t i = 0; i < std::min(size, kPrefetchCodes); i += kLineBytes) {
    _mm_prefetch(row + i, _MM_HINT_T0);
  }
}

}  // namespace

SEXTANT_TARGET void CodeDotRowsAvx2(const int8_t* query, const uint8_t* base,
                                    size_t stride, size_t size,
                                    std::span<const uint32_t> rows,
                                    int32_t* out) {
  const size_t n = rows.size();
  const uint8_t* batch[kBatchRows];
  size_t i = 0;
  for (; i + kBatchRows <= n; i += kBatchRows) {
    const size_t next_end = std::min(n, i + 2 * kBatchRows);
    for (size_t next = i + kBatchRows; next < next_end; ++next) {
      Prefetch(base + rows[next] * stride, size);
    }
    for (size_t r = 0; r < kBatchRows; ++r) {
      batch[r] = base + rows[i + r] * stride;
    }
    Dots<kBatchRows>(query, batch, size, out + i);
  }
  for (; i < n; ++i) {
    batch[0] = base + rows[i] * stride;
    Dots<1>(query, batch, size, out + i);
  }
}

}  // namespace sextant

#endif  // defined(__x86_64__)
