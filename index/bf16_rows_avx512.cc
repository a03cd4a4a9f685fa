// SPDX-License-Identifier: Apache-2.0
#include "index/avx512_intrinsics.h"
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <algorithm>

// By function, not by file: see distance_avx512.cc. The file is compiled with
// -ffp-contract=off: products are rounded before they are added, as in the
// scalar kernels. The processor's own product of bf16 numbers (vdpbf16ps)
// rounds in a way that no other processor repeats, so it is not used.
#define SEXTANT_TARGET __attribute__((target("avx2,avx512f")))
#define SEXTANT_INLINE \
  __attribute__((target("avx2,avx512f"), always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kLanes = 16;

SEXTANT_INLINE __m512 Widen(const uint8_t* numbers) {
  const __m256i narrow =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(numbers));
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
}

template <bool kL2>
SEXTANT_INLINE __m512 Step(__m512 sum, __m512 q, __m512 x) {
  if constexpr (kL2) {
    const __m512 difference = _mm512_sub_ps(q, x);
    return _mm512_add_ps(sum, _mm512_mul_ps(difference, difference));
  } else {
    return _mm512_add_ps(sum, _mm512_mul_ps(q, x));
  }
}

template <bool kL2, size_t kRows>
SEXTANT_INLINE void Distances(const float* query, const uint8_t* const* rows,
                              size_t stride, float* out) {
  __m512 even[kRows];
  __m512 odd[kRows];
  for (size_t r = 0; r < kRows; ++r) {
    even[r] = _mm512_setzero_ps();
    odd[r] = _mm512_setzero_ps();
  }
  for (size_t i = 0; i < stride / sizeof(uint16_t); i += 2 * kLanes) {
    const __m512 q0 = _mm512_loadu_ps(query + i);
    const __m512 q1 = _mm512_loadu_ps(query + i + kLanes);
    for (size_t r = 0; r < kRows; ++r) {
      const uint8_t* const x = rows[r] + i * sizeof(uint16_t);
      even[r] = Step<kL2>(even[r], q0, Widen(x));
      odd[r] = Step<kL2>(odd[r], q1, Widen(x + kLanes * sizeof(uint16_t)));
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    const __m512 sum = _mm512_add_ps(even[r], odd[r]);
    const __m256 eight = _mm256_add_ps(
        _mm512_castps512_ps256(sum),
        _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(sum), 1)));
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
    Distances<kL2, kBatchRows>(query, batch, stride, out + i);
  }
  for (; i < n; ++i) {
    batch[0] = base + rows[i] * stride;
    Distances<kL2, 1>(query, batch, stride, out + i);
  }
}

}  // namespace

SEXTANT_TARGET void Bf16ProductRowsAvx512(const float* query,
                                          const uint8_t* base, size_t stride,
                                          std::span<const uint32_t> rows,
                                          float* out) {
  Rows<false>(query, base, stride, rows, out);
}

SEXTANT_TARGET void Bf16L2RowsAvx512(const float* query, const uint8_t* base,
                                     size_t stride,
                                     std::span<const uint32_t> rows,
                                     float* out) {
  Rows<true>(query, base, stride, rows, out);
}

}  // namespace sextant

#endif  // defined(__x86_64__)
