// SPDX-License-Identifier: Apache-2.0
#include "index/avx512_intrinsics.h"
#include "index/distance_kernels.h"

#if defined(__x86_64__)

// By function, not by file: see distance_avx512.cc.
#define SEXTANT_TARGET \
  __attribute__((target("avx2,avx512f,avx512bw,avx512vpopcntdq")))
#define SEXTANT_INLINE                                            \
  __attribute__((target("avx2,avx512f,avx512bw,avx512vpopcntdq"), \
                 always_inline)) inline

namespace sextant {
namespace {

// Rows come in steps of half a register.
constexpr size_t kWidth = 64;

SEXTANT_INLINE __m512i Load(const void* bytes, bool whole) {
  return _mm512_maskz_loadu_epi64(whole ? 0xFF : 0x0F, bytes);
}

SEXTANT_INLINE __m512i Count(__m512i row, const int8_t* plane, bool whole) {
  return _mm512_popcnt_epi64(_mm512_and_si512(row, Load(plane, whole)));
}

// c0 + 2 (c1 + 2 (c2 - 2 c3))
SEXTANT_INLINE __m512i WeighPlanes(const int8_t* planes, __m512i row,
                                   size_t stride, bool whole) {
  static_assert(kBitPlanes == 4);
  const __m512i high = _mm512_sub_epi64(
      Count(row, planes + 2 * stride, whole),
      _mm512_slli_epi64(Count(row, planes + 3 * stride, whole), 1));
  const __m512i middle = _mm512_add_epi64(Count(row, planes + stride, whole),
                                          _mm512_slli_epi64(high, 1));
  return _mm512_add_epi64(Count(row, planes, whole),
                          _mm512_slli_epi64(middle, 1));
}

SEXTANT_INLINE int32_t Dot(const int8_t* planes, const uint8_t* row,
                           size_t stride) {
  __m512i sum = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + kWidth <= stride; i += kWidth) {
    sum = _mm512_add_epi64(
        sum, WeighPlanes(planes + i, Load(row + i, true), stride, true));
  }
  if (i < stride) {
    sum = _mm512_add_epi64(
        sum, WeighPlanes(planes + i, Load(row + i, false), stride, false));
  }
  return static_cast<int32_t>(_mm512_reduce_add_epi64(sum));
}

}  // namespace

SEXTANT_TARGET void BitDotRowsAvx512(const int8_t* planes, const uint8_t* base,
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
