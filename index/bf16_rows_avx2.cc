// SPDX-License-Identifier: Apache-2.0
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

// By function, not by file: see distance_avx512.cc. Without FMA: products are
// rounded before they are added, as in the scalar kernels.
#define SEXTANT_TARGET __attribute__((target("avx2")))
#define SEXTANT_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kLanes = 8;
constexpr size_t kSums = 4;

SEXTANT_INLINE __m256 Widen(const uint8_t* numbers) {
  const __m128i narrow =
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers));
  return _mm256_castsi256_ps(
      _mm256_slli_epi32(_mm256_cvtepu16_epi32(narrow), 16));
}

template <bool kL2>
SEXTANT_INLINE __m256 Step(__m256 sum, __m256 q, __m256 x) {
  if constexpr (kL2) {
    const __m256 difference = _mm256_sub_ps(q, x);
    return _mm256_add_ps(sum, _mm256_mul_ps(difference, difference));
  } else {
    return _mm256_add_ps(sum, _mm256_mul_ps(q, x));
  }
}

template <bool kL2, size_t kRows>
SEXTANT_INLINE void Distances(const float* query, const uint8_t* const* rows,
                              size_t stride, float* out) {
  __m256 sums[kRows][kSums];
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t s = 0; s < kSums; ++s) {
      sums[r][s] = _mm256_setzero_ps();
    }
  }
  for (size_t i = 0; i < stride / sizeof(uint16_t); i += kSums * kLanes) {
    for (size_t s = 0; s < kSums; ++s) {
      const size_t j = i + s * kLanes;
      const __m256 q = _mm256_loadu_ps(query + j);
      for (size_t r = 0; r < kRows; ++r) {
        sums[r][s] =
            Step<kL2>(sums[r][s], q, Widen(rows[r] + j * sizeof(uint16_t)));
      }
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    const __m256 eight = _mm256_add_ps(_mm256_add_ps(sums[r][0], sums[r][2]),
                                       _mm256_add_ps(sums[r][1], sums[r][3]));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                                   _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    out[r] = _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
}

SEXTANT_INLINE void Prefetch(const uint8_t* row, size_t stride) {
  for (size_t i = 0; i < std::min(stride, kPrefetchCodes); i += kLineBytes) {
    _mm_prefetch(row + i, _MM_HINT_T0);
  }
}

template <bool kL2>
SEXTANT_INLINE void Rows(const float* query, const uint8_t* base, size_t stride,
                         std::span<const uint32_t> rows, float* out) {
  constexpr size_t kBatch = 2;
  const size_t n = rows.size();
  size_t i = 0;
  for (; i + kBatch <= n; i += kBatch) {
    for (size_t next = i + kBatch; next < std::min(n, i + 2 * kBatch); ++next) {
      Prefetch(base + rows[next] * stride, stride);
    }
    const uint8_t* const batch[kBatch] = {base + rows[i] * stride,
                                          base + rows[i + 1] * stride};
    Distances<kL2, kBatch>(query, batch, stride, out + i);
  }
  if (i < n) {
    const uint8_t* const last = base + rows[i] * stride;
    Distances<kL2, 1>(query, &last, stride, out + i);
  }
}

}  // namespace

SEXTANT_TARGET void Bf16ProductRowsAvx2(const float* query, const uint8_t* base,
                                        size_t stride,
                                        std::span<const uint32_t> rows,
                                        float* out) {
  Rows<false>(query, base, stride, rows, out);
}

SEXTANT_TARGET void Bf16L2RowsAvx2(const float* query, const uint8_t* base,
                                   size_t stride,
                                   std::span<const uint32_t> rows, float* out) {
  Rows<true>(query, base, stride, rows, out);
}

}  // namespace sextant

#endif  // defined(__x86_64__)
