// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/row_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>

// Plain loops that the compiler turns into vectors of the width that each
// caller's `target` allows; kLanes independent sums leave it nothing to
// reorder.
#define SEXTANT_INLINE __attribute__((always_inline)) inline

namespace sextant {
namespace {

constexpr size_t kLanes = 32;
constexpr float kNone = -std::numeric_limits<float>::infinity();

SEXTANT_INLINE float Greater(float a, float b) {
  return a > b ? a : b;
}

// exp(x) for x <= 0, to 2e-7 of itself; exp(-87) for what lies below.
SEXTANT_INLINE float ExpOfNegative(float x) {
  constexpr float kFloor = -87.0F;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: rounds what is added
  const float clamped = x > kFloor ? x : kFloor;
  const float shifted = clamped * kLog2E + kRound;
  const float power = shifted - kRound;
  const float rest = (clamped - power * kLn2High) - power * kLn2Low;
  float sum = 1.9875691500e-4F;
  sum = sum * rest + 1.3981999507e-3F;
  sum = sum * rest + 8.3334519073e-3F;
  sum = sum * rest + 4.1665795894e-2F;
  sum = sum * rest + 1.6666665459e-1F;
  sum = sum * rest + 5.0000001201e-1F;
  sum = sum * rest * rest + rest + 1.0F;
  // The low bits of `shifted` are the power of two as an integer.
  const auto exponent = static_cast<uint32_t>(std::bit_cast<int32_t>(shifted) -
                                              std::bit_cast<int32_t>(kRound));
  return std::bit_cast<float>(std::bit_cast<uint32_t>(sum) + (exponent << 23U));
}

SEXTANT_INLINE float FoldMax(const float* lanes) {
  float most = kNone;
  for (size_t i = 0; i < kLanes; ++i) {
    most = Greater(lanes[i], most);
  }
  return most;
}

SEXTANT_INLINE float ScaleAndMax(float* values, size_t count, float scale,
                                 const float* offsets) {
  float lanes[kLanes];
  for (float& lane : lanes) {
    lane = kNone;
  }
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    if (offsets == nullptr) {
      for (size_t j = 0; j < kLanes; ++j) {
        values[i + j] = scale * values[i + j];
      }
    } else {
      for (size_t j = 0; j < kLanes; ++j) {
        values[i + j] = scale * values[i + j] + offsets[i + j];
      }
    }
    for (size_t j = 0; j < kLanes; ++j) {
      lanes[j] = Greater(values[i + j], lanes[j]);
    }
  }
  float most = FoldMax(lanes);
  for (; i < count; ++i) {
    values[i] = scale * values[i] + (offsets == nullptr ? 0.0F : offsets[i]);
    most = Greater(values[i], most);
  }
  return most;
}

SEXTANT_INLINE float SumExp(const float* values, size_t count, float max) {
  float lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) {
      lanes[j] += ExpOfNegative(values[i + j] - max);
    }
  }
  float sum = 0;
  for (const float lane : lanes) {
    sum += lane;
  }
  for (; i < count; ++i) {
    sum += ExpOfNegative(values[i] - max);
  }
  return sum;
}

SEXTANT_INLINE float Max(const float* values, size_t count) {
  float lanes[kLanes];
  for (float& lane : lanes) {
    lane = kNone;
  }
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) {
      lanes[j] = Greater(values[i + j], lanes[j]);
    }
  }
  float most = FoldMax(lanes);
  for (; i < count; ++i) {
    most = Greater(values[i], most);
  }
  return most;
}

SEXTANT_INLINE void MaxInto(const float* values, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = Greater(values[i], out[i]);
  }
}

// One set of the four for a target; the name is a suffix.
// NOLINTBEGIN(bugprone-macro-parentheses): attributes cannot have any
#define SEXTANT_ROW_KERNELS(suffix, attribute)                             \
  attribute float ScaleAndMax##suffix(float* values, size_t count,         \
                                      float scale, const float* offsets) { \
    return ScaleAndMax(values, count, scale, offsets);                     \
  }                                                                        \
  attribute float SumExp##suffix(const float* values, size_t count,        \
                                 float max) {                              \
    return SumExp(values, count, max);                                     \
  }                                                                        \
  attribute float Max##suffix(const float* values, size_t count) {         \
    return Max(values, count);                                             \
  }                                                                        \
  attribute void MaxInto##suffix(const float* values, size_t count,        \
                                 float* out) {                             \
    MaxInto(values, count, out);                                           \
  }                                                                        \
  constexpr RowKernels kKernels##suffix = {                                \
      &ScaleAndMax##suffix, &SumExp##suffix, &Max##suffix, &MaxInto##suffix};

// NOLINTEND(bugprone-macro-parentheses): as above

#if defined(__GNUC__) && !defined(__clang__)
#define SEXTANT_WIDE ",prefer-vector-width=512"
#else
#define SEXTANT_WIDE
#endif

SEXTANT_ROW_KERNELS(Plain, )
#if defined(__x86_64__)
SEXTANT_ROW_KERNELS(Avx2, __attribute__((target("avx2,fma"))))
SEXTANT_ROW_KERNELS(
    Avx512,
    __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq" SEXTANT_WIDE))))
#endif

const RowKernels& Choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    return kKernelsAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return kKernelsAvx2;
  }
#endif
  return kKernelsPlain;
}

}  // namespace

const RowKernels& ChosenRowKernels() {
  static const RowKernels& chosen = Choose();
  return chosen;
}

}  // namespace sextant
