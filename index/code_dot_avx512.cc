// SPDX-License-Identifier: Apache-2.0
#include "index/avx512_intrinsics.h"
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <algorithm>

// By function, not by file: see distance_avx512.cc.
#define SEXTANT_TARGET \
  __attribute__((target("avx2,avx512f,avx512bw,avx512vnni")))
#define SEXTANT_INLINE                                       \
  __attribute__((target("avx2,avx512f,avx512bw,avx512vnni"), \
                 always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kLanes = 64;

SEXTANT_INLINE __m128i FoldHalves(__m512i sum) {
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sum),
                                        _mm512_extracti64x4_epi64(sum, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half),
                       _mm256_extracti128_si256(half, 1));
}

SEXTANT_INLINE __m512i AddPairs(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b),
                          _mm512_unpackhi_epi32(a, b));
}

// Adds the products of 64 bytes of a row.
template <bool kNibbles>
SEXTANT_INLINE __m512i AddProducts(__m512i sum, const uint8_t* row,
                                   const int8_t* query, size_t size, size_t i) {
  const __m512i codes = _mm512_loadu_si512(row + i);
  const __m512i q = _mm512_loadu_si512(query + i);
  if constexpr (kNibbles) {
    const __m512i mask = _mm512_set1_epi8(15);
    const __m512i low = _mm512_and_si512(codes, mask);
    const __m512i high = _mm512_and_si512(_mm512_srli_epi16(codes, 4), mask);
    sum = _mm512_dpbusd_epi32(sum, low, q);
    return _mm512_dpbusd_epi32(sum, high, _mm512_loadu_si512(query + size + i));
  } else {
    return _mm512_dpbusd_epi32(sum, codes, q);
  }
}

// Four rows in one pass; their sums are folded together.
template <bool kNibbles>
SEXTANT_INLINE void FourDots(const int8_t* query, const uint8_t* const* rows,
                             size_t size, int32_t* out) {
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  for (size_t i = 0; i < size; i += kLanes) {
    s0 = AddProducts<kNibbles>(s0, rows[0], query, size, i);
    s1 = AddProducts<kNibbles>(s1, rows[1], query, size, i);
    s2 = AddProducts<kNibbles>(s2, rows[2], query, size, i);
    s3 = AddProducts<kNibbles>(s3, rows[3], query, size, i);
  }
  const __m512i s01 = AddPairs(s0, s1);
  const __m512i s23 = AddPairs(s2, s3);
  const __m512i sums = _mm512_add_epi32(_mm512_unpacklo_epi64(s01, s23),
                                        _mm512_unpackhi_epi64(s01, s23));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), FoldHalves(sums));
}

template <bool kNibbles>
SEXTANT_INLINE int32_t OneDot(const int8_t* query, const uint8_t* row,
                              size_t size) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t i = 0; i < size; i += kLanes) {
    sum = AddProducts<kNibbles>(sum, row, query, size, i);
  }
  const __m128i four = FoldHalves(sum);
  const __m128i two =
      _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(
      _mm_add_epi32(two, _mm_shuffle_epi32(two, _MM_SHUFFLE(2, 3, 0, 1))));
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
    FourDots<kNibbles>(query, batch, stride, out + i);
  }
  for (; i < n; ++i) {
    out[i] = OneDot<kNibbles>(query, base + rows[i] * stride, stride);
  }
}

}  // namespace

SEXTANT_TARGET void CodeDotRowsAvx512(const int8_t* query, const uint8_t* base,
                                      size_t stride,
                                      std::span<const uint32_t> rows,
                                      int32_t* out) {
  DotRows<false>(query, base, stride, rows, out);
}

SEXTANT_TARGET void NibbleDotRowsAvx512(const int8_t* query,
                                        const uint8_t* base, size_t stride,
                                        std::span<const uint32_t> rows,
                                        int32_t* out) {
  DotRows<true>(query, base, stride, rows, out);
}

}  // namespace sextant

#endif  // defined(__x86_64__)
