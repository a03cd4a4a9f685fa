// SPDX-License-Identifier: Apache-2.0
#include "index/avx512_intrinsics.h"
#include "index/distance_kernels.h"

#if defined(__x86_64__)

#include <algorithm>

// The instruction set is an attribute of each function, not a flag of the
// file: inline functions of the standard library that this file instantiates
// must stay runnable on every processor, because the linker keeps one copy.
#define SEXTANT_TARGET __attribute__((target("avx2,fma,avx512f")))
#define SEXTANT_INLINE \
  __attribute__((target("avx2,fma,avx512f"), always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kLanes = 16;

template <bool kL2>
SEXTANT_INLINE __m512 Step(__m512 sum, __m512 a, __m512 b) {
  if constexpr (kL2) {
    const __m512 difference = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(difference, difference, sum);
  } else {
    return _mm512_fmadd_ps(a, b, sum);
  }
}

// 16 lanes to 4, always in the same order of additions.
SEXTANT_INLINE __m128 Fold(__m512 sum) {
  const __m256 half = _mm256_add_ps(
      _mm512_castps512_ps256(sum),
      _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(sum), 1)));
  return _mm_add_ps(_mm256_castps256_ps128(half),
                    _mm256_extractf128_ps(half, 1));
}

// Distances of kRows rows in one pass. Each row has its own two sums and meets
// the query's numbers in the same order whatever kRows is: a batch gives the
// bits that single calls give.
template <bool kL2, size_t kRows>
SEXTANT_INLINE void Distances(const float* query, const float* const* rows,
                              size_t dimension, float* out) {
  __m512 even[kRows];
  __m512 odd[kRows];
  for (size_t r = 0; r < kRows; ++r) {
    even[r] = _mm512_setzero_ps();
    odd[r] = _mm512_setzero_ps();
  }
  size_t i = 0;
  for (; i + 2 * kLanes <= dimension; i += 2 * kLanes) {
    const __m512 q0 = _mm512_loadu_ps(query + i);
    const __m512 q1 = _mm512_loadu_ps(query + i + kLanes);
    for (size_t r = 0; r < kRows; ++r) {
      even[r] = Step<kL2>(even[r], q0, _mm512_loadu_ps(rows[r] + i));
      odd[r] = Step<kL2>(odd[r], q1, _mm512_loadu_ps(rows[r] + i + kLanes));
    }
  }
  if (i + kLanes <= dimension) {
    const __m512 q = _mm512_loadu_ps(query + i);
    for (size_t r = 0; r < kRows; ++r) {
      even[r] = Step<kL2>(even[r], q, _mm512_loadu_ps(rows[r] + i));
    }
    i += kLanes;
  }
  if (i < dimension) {
    const auto mask = static_cast<__mmask16>((1U << (dimension - i)) - 1);
    const __m512 q = _mm512_maskz_loadu_ps(mask, query + i);
    for (size_t r = 0; r < kRows; ++r) {
      odd[r] = Step<kL2>(odd[r], q, _mm512_maskz_loadu_ps(mask, rows[r] + i));
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    const __m128 four = Fold(_mm512_add_ps(even[r], odd[r]));
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

constexpr DistanceKernels kAvx512 = {
    .name = "avx512",
    .inner_product = Single<false>,
    .squared_l2 = Single<true>,
    .inner_product_rows = Rows<false>,
    .squared_l2_rows = Rows<true>,
    .code_dot_rows = CodeDotRowsAvx2,
    .nibble_dot_rows = NibbleDotRowsAvx2,
    .code_dot_blocks = CodeDotBlocksAvx2,
    .nibble_dot_blocks = NibbleDotBlocksAvx2,
    .bit_dot_rows = BitDotRowsAvx2,
    .bf16_product_rows = Bf16ProductRowsAvx512,
    .bf16_l2_rows = Bf16L2RowsAvx512,
};

constexpr DistanceKernels kAvx512Vnni = {
    .name = "avx512vnni",
    .inner_product = Single<false>,
    .squared_l2 = Single<true>,
    .inner_product_rows = Rows<false>,
    .squared_l2_rows = Rows<true>,
    .code_dot_rows = CodeDotRowsAvx512,
    .nibble_dot_rows = NibbleDotRowsAvx512,
    .code_dot_blocks = CodeDotBlocksAvx512,
    .nibble_dot_blocks = NibbleDotBlocksAvx512,
    .bit_dot_rows = BitDotRowsAvx2,
    .bf16_product_rows = Bf16ProductRowsAvx512,
    .bf16_l2_rows = Bf16L2RowsAvx512,
};

constexpr DistanceKernels kAvx512Popcnt = {
    .name = "avx512popcnt",
    .inner_product = Single<false>,
    .squared_l2 = Single<true>,
    .inner_product_rows = Rows<false>,
    .squared_l2_rows = Rows<true>,
    .code_dot_rows = CodeDotRowsAvx512,
    .nibble_dot_rows = NibbleDotRowsAvx512,
    .code_dot_blocks = CodeDotBlocksAvx512,
    .nibble_dot_blocks = NibbleDotBlocksAvx512,
    .bit_dot_rows = BitDotRowsAvx512,
    .bf16_product_rows = Bf16ProductRowsAvx512,
    .bf16_l2_rows = Bf16L2RowsAvx512,
};

}  // namespace

const DistanceKernels& Avx512Kernels() {
  return kAvx512;
}

const DistanceKernels& Avx512VnniKernels() {
  return kAvx512Vnni;
}

const DistanceKernels& Avx512PopcntKernels() {
  return kAvx512Popcnt;
}

}  // namespace sextant

#endif  // defined(__x86_64__)
