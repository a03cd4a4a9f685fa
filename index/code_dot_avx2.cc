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

SEXTANT_INLINE __m256i Load(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

SEXTANT_INLINE __m256i HalfProducts(const uint8_t* row, const int8_t* query) {
  return _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(
                               reinterpret_cast<const __m128i*>(row))),
                           _mm256_cvtepi8_epi16(_mm_loadu_si128(
                               reinterpret_cast<const __m128i*>(query))));
}

// AVX2's own product of unsigned and signed bytes adds pairs into 16 bits and
// saturates, so bytes are widened first.
SEXTANT_INLINE __m256i CodeProducts(const uint8_t* row, const int8_t* query,
                                    size_t i) {
  return _mm256_add_epi32(HalfProducts(row + i, query + i),
                          HalfProducts(row + i + 16, query + i + 16));
}

// Four products of half a byte stay far below 16 bits' limit.
SEXTANT_INLINE __m256i NibbleProducts(const uint8_t* row, const int8_t* query,
                                      size_t size, size_t i) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i codes = Load(row + i);
  const __m256i low = _mm256_and_si256(codes, mask);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(codes, 4), mask);
  const __m256i sums =
      _mm256_add_epi16(_mm256_maddubs_epi16(low, Load(query + i)),
                       _mm256_maddubs_epi16(high, Load(query + size + i)));
  return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

template <bool kNibbles, size_t kRows>
SEXTANT_INLINE void Dots(const int8_t* query, const uint8_t* const* rows,
                         size_t size, int32_t* out) {
  constexpr size_t kLanes = 32;
  __m256i sums[kRows];
  for (size_t r = 0; r < kRows; ++r) {
    sums[r] = _mm256_setzero_si256();
  }
  for (size_t i = 0; i < size; i += kLanes) {
    for (size_t r = 0; r < kRows; ++r) {
      const __m256i products = kNibbles
                                   ? NibbleProducts(rows[r], query, size, i)
                                   : CodeProducts(rows[r], query, i);
      sums[r] = _mm256_add_epi32(sums[r], products);
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

template <bool kNibbles>
SEXTANT_INLINE void DotRows(const int8_t* query, const uint8_t* base,
                            size_t stride, std::span<const uint32_t> rows,
                            int32_t* out) {
  const size_t n = rows.size();
  const uint8_t* batch[kBatchRows];
  size_t i = 0;
  for (; i + kBatchRows <= n; i += kBatchRows) {
    const size_t next_end = std::min(n, i + 2 * kBatchRows);
    for (size_t next = i + kBatchRows; next < next_end; ++next) {
      Prefetch(base + rows[next] * stride, stride);
    }
    for (size_t r = 0; r < kBatchRows; ++r) {
      batch[r] = base + rows[i + r] * stride;
    }
    Dots<kNibbles, kBatchRows>(query, batch, stride, out + i);
  }
  for (; i < n; ++i) {
    batch[0] = base + rows[i] * stride;
    Dots<kNibbles, 1>(query, batch, stride, out + i);
  }
}

}  // namespace

SEXTANT_TARGET void CodeDotRowsAvx2(const int8_t* query, const uint8_t* base,
                                    size_t stride,
                                    std::span<const uint32_t> rows,
                                    int32_t* out) {
  DotRows<false>(query, base, stride, rows, out);
}

SEXTANT_TARGET void NibbleDotRowsAvx2(const int8_t* query, const uint8_t* base,
                                      size_t stride,
                                      std::span<const uint32_t> rows,
                                      int32_t* out) {
  DotRows<true>(query, base, stride, rows, out);
}

}  // namespace sextant

#endif  // defined(__x86_64__)
