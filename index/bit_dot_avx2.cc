// SPDX-License-Identifier: Apache-2.0
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

// By function, not by file: see distance_avx512.cc.
#define SEXTANT_TARGET __attribute__((target("avx2")))
#define SEXTANT_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace sextant {
namespace {

SEXTANT_INLINE __m256i Load(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

// Ones in each byte, from a table of half bytes (Mula, Kurz and Lemire 2018).
SEXTANT_INLINE __m256i CountBytes(__m256i bits) {
  const __m256i table =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                       2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i mask = _mm256_set1_epi8(15);
  return _mm256_add_epi8(
      _mm256_shuffle_epi8(table, _mm256_and_si256(bits, mask)),
      _mm256_shuffle_epi8(table,
                          _mm256_and_si256(_mm256_srli_epi16(bits, 4), mask)));
}

// A byte holds -64 to 56; kBias makes it positive.
SEXTANT_INLINE __m256i WeighPlanes(const int8_t* planes, __m256i row,
                                   size_t stride) {
  static_assert(kBitPlanes == 4);
  const __m256i c0 = CountBytes(_mm256_and_si256(row, Load(planes)));
  const __m256i c1 = CountBytes(_mm256_and_si256(row, Load(planes + stride)));
  const __m256i c2 =
      CountBytes(_mm256_and_si256(row, Load(planes + 2 * stride)));
  const __m256i c3 =
      CountBytes(_mm256_and_si256(row, Load(planes + 3 * stride)));
  // c0 + 2 (c1 + 2 (c2 - 2 c3)), bytes throughout.
  const __m256i high = _mm256_sub_epi8(c2, _mm256_add_epi8(c3, c3));
  const __m256i middle = _mm256_add_epi8(c1, _mm256_add_epi8(high, high));
  return _mm256_add_epi8(c0, _mm256_add_epi8(middle, middle));
}

SEXTANT_INLINE int32_t Dot(const int8_t* planes, const uint8_t* row,
                           size_t stride) {
  constexpr int32_t kBias = 64;
  __m256i sum = _mm256_setzero_si256();
  for (size_t i = 0; i < stride; i += sizeof(__m256i)) {
    const __m256i bytes =
        _mm256_add_epi8(WeighPlanes(planes + i, Load(row + i), stride),
                        _mm256_set1_epi8(kBias));
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
  }
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sum),
                                    _mm256_extracti128_si256(sum, 1));
  const int64_t total = _mm_extract_epi64(two, 0) + _mm_extract_epi64(two, 1);
  return static_cast<int32_t>(total) - kBias * static_cast<int32_t>(stride);
}

}  // namespace

SEXTANT_TARGET void BitDotRowsAvx2(const int8_t* planes, const uint8_t* base,
                                   size_t stride,
                                   std::span<const uint32_t> rows,
                                   int32_t* out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kBatchRows < rows.size()) {
      _mm_prefetch(base + rows[i + kBatchRows] * stride, _MM_HINT_T0);
    }
    out[i] = Dot(planes, base + rows[i] * stride, stride);
  }
}

}  // namespace sextant

#endif  // defined(__x86_64__)
