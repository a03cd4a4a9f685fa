// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <cstring>

#include "index/distance_kernels.h"

namespace sextant {
namespace {

// As the vector registers of distance.h's bf16 kernels add: number j into sum
// j modulo 32, then the halves of the sums onto each other.
constexpr size_t kLanes = 32;

float Widen(uint16_t number) {
  return std::bit_cast<float>(static_cast<uint32_t>(number) << 16U);
}

template <bool kL2>
float Distance(const float* query, const uint8_t* row, size_t stride) {
  std::array<float, kLanes> sums = {};
  for (size_t i = 0; i < stride / sizeof(uint16_t); i += kLanes) {
    std::array<uint16_t, kLanes> numbers;
    std::memcpy(numbers.data(), row + i * sizeof(uint16_t), sizeof(numbers));
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float x = Widen(numbers[lane]);
      if constexpr (kL2) {
        const float difference = query[i + lane] - x;
        sums[lane] += difference * difference;
      } else {
        sums[lane] += query[i + lane] * x;
      }
    }
  }
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) {
      sums[lane] += sums[lane + half];
    }
  }
  return sums[0];
}

template <bool kL2>
void Rows(const float* query, const uint8_t* base, size_t stride,
          std::span<const uint32_t> rows, float* out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kBatchRows < rows.size()) {
      __builtin_prefetch(base + rows[i + kBatchRows] * stride);
    }
    out[i] = Distance<kL2>(query, base + rows[i] * stride, stride);
  }
}

}  // namespace

void Bf16ProductRowsScalar(const float* query, const uint8_t* base,
                           size_t stride, std::span<const uint32_t> rows,
                           float* out) {
  Rows<false>(query, base, stride, rows, out);
}

void Bf16L2RowsScalar(const float* query, const uint8_t* base, size_t stride,
                      std::span<const uint32_t> rows, float* out) {
  Rows<true>(query, base, stride, rows, out);
}

}  // namespace sextant
