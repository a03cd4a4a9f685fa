// SPDX-License-Identifier: Apache-2.0
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

// By function, not by file: see distance_avx512.cc.
#define SEXTANT_TARGET __attribute__((target("avx2,fma")))
#define SEXTANT_INLINE __attribute__((target("avx2,fma"), always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kLanes = 8;

template <bool kL2>
SEXTANT_INLINE __m256 Step(__m256 sum, __m256 a, __m256 b) {
  if constexpr (kL2) {
    const __m256 difference = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(difference, difference, sum);
  } else {
    return _mm256_fmadd_ps(a, b, sum);
  }
}

// The first `count` (1 to 7) lanes set.
SEXTANT_INLINE __m256i TailMask(size_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}

// Distances of kRows rows in one pass; the same bits whatever kRows is, as in
// distance_avx512.cc.
template <bool kL2, size_t kRows>
SEXTANT_INLINE void Distances(const float* query, const float* const* rows,
                              size_t dimension, float* out) {
  __m256 even[kRows];
  __m256 odd[kRows];
  for (size_t r = 0; r < kRows; ++r) {
    even[r] = _mm256_setzero_ps();
    odd[r] = _mm256_setzero_ps();
  }
  size_t i = 0;
  for (; i + 2 * kLanes <= dimension; i += 2 * kLanes) {
    const __m256 q0 = _mm256_loadu_ps(query + i);
    const __m256 q1 = _mm256_loadu_ps(query + i + kLanes);
    for (size_t r = 0; r < kRows; ++r) {
      even[r] = Step<kL2>(even[r], q0, _mm256_loadu_ps(rows[r] + i));
      odd[r] = Step<kL2>(odd[r], q1, _mm256_loadu_ps(rows[r] + i + kLanes));
    }
  }
  if (i + kLanes <= dimension) {
    const __m256 q = _mm256_loadu_ps(query + i);
    for (size_t r = 0; r < kRows; ++r) {
      even[r] = Step<kL2>(even[r], q, _mm256_loadu_ps(rows[r] + i));
    }
    i += kLanes;
  }
  if (i < dimension) {
    const __m256i mask = TailMask(dimension - i);
    const __m256 q = _mm256_maskload_ps(query + i, mask);
    for (size_t r = 0; r < kRows; ++r) {
      odd[r] = Step<kL2>(odd[r], q, _mm256_maskload_ps(rows[r] + i, mask));
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    const __m256 sum = _mm256_add_ps(even[r], odd[r]);
    const __m128 four =
        _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    out[r] = _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
}

template <bool kL2>
SEXTANT_TARGET float Single(const float* a, const float* b, size_t dimension) {
  float out = 0;
  Distances<kL2, 1>(a, &b, dimension, &out);
  return out;
}

// The start of a row; the processor itself follows a row that is longer, and
// more requests than it can hold delay those that are needed first.
SEXTANT_INLINE void PrefetchRow(const float* row, size_t dimension) {
  const size_t end = std::min(dimension, kPrefetchFloats);
  for (size_t i = 0; i < end; i += kLineFloats) {
    _mm_prefetch(row + i, _MM_HINT_T0);
  }
}

template <bool kL2>
SEXTANT_TARGET void Rows(const float* query, const float* base, size_t stride,
                         size_t dimension, std::span<const uint32_t> rows,
                         float* out) {
  const size_t n = rows.size();
  const float* batch[kBatchRows];
  size_t i = 0;
  for (; i + kBatchRows <= n; i += kBatchRows) {
    const size_t next_end = std::min(n, i + 2 * kBatchRows);
    for (size_t next = i + kBatchRows; next < next_end; ++next) {
      PrefetchRow(base + rows[next] * stride, dimension);
    }
    for (size_t r = 0; r < kBatchRows; ++r) {
      batch[r] = base + rows[i + r] * stride;
    }
    Distances<kL2, kBatchRows>(query, batch, dimension, out + i);
  }
  const size_t rest = n - i;
  for (size_t r = 0; r < rest; ++r) {
    batch[r] = base + rows[i + r] * stride;
  }
  if (rest == 3) {
    Distances<kL2, 3>(query, batch, dimension, out + i);
  } else if (rest == 2) {
    Distances<kL2, 2>(query, batch, dimension, out + i);
  } else if (rest == 1) {
    Distances<kL2, 1>(query, batch, dimension, out + i);
  }
}

constexpr DistanceKernels kAvx2 = {
    .name = "avx2",
    .inner_product = Single<false>,
    .squared_l2 = Single<true>,
    .inner_product_rows = Rows<false>,
    .squared_l2_rows = Rows<true>,
    .code_dot_rows = CodeDotRowsAvx2,
    .nibble_dot_rows = NibbleDotRowsAvx2,
    .code_dot_blocks = CodeDotBlocksAvx2,
    .nibble_dot_blocks = NibbleDotBlocksAvx2,
    .bit_dot_rows = BitDotRowsAvx2,
    .bf16_product_rows = Bf16ProductRowsAvx2,
    .bf16_l2_rows = Bf16L2RowsAvx2,
};

}  // namespace

const DistanceKernels& Avx2Kernels() {
  return kAvx2;
}

}  // namespace sextant

#endif  // defined(__x86_64__)
