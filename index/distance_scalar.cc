// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "index/distance_kernels.h"

namespace sextant {
namespace {

// Independent partial sums: the compiler can use the baseline's SSE registers
// without reordering additions.
constexpr size_t kLanes = 8;

template <bool kL2>
float Distance(const float* a, const float* b, size_t dimension) {
  std::array<float, kLanes> sums = {};
  size_t i = 0;
  for (; i + kLanes <= dimension; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      if constexpr (kL2) {
        const float difference = a[i + lane] - b[i + lane];
        sums[lane] += difference * difference;
      } else {
        sums[lane] += a[i + lane] * b[i + lane];
      }
    }
  }
  for (size_t lane = 0; i < dimension; ++i, ++lane) {
    if constexpr (kL2) {
      const float difference = a[i] - b[i];
      sums[lane] += difference * difference;
    } else {
      sums[lane] += a[i] * b[i];
    }
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
         ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

template <bool kL2>
void Rows(const float* query, const float* base, size_t stride,
          size_t dimension, std::span<const uint32_t> rows, float* out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kBatchRows < rows.size()) {
      __builtin_prefetch(base + rows[i + kBatchRows] * stride);
    }
    out[i] = Distance<kL2>(query, base + rows[i] * stride, dimension);
  }
}

constexpr DistanceKernels kScalar = {
    .name = "scalar",
    .inner_product = Distance<false>,
    .squared_l2 = Distance<true>,
    .inner_product_rows = Rows<false>,
    .squared_l2_rows = Rows<true>,
    .code_dot_rows = CodeDotRowsScalar,
    .nibble_dot_rows = NibbleDotRowsScalar,
    .code_dot_blocks = CodeDotBlocksScalar,
    .nibble_dot_blocks = NibbleDotBlocksScalar,
    .bit_dot_rows = BitDotRowsScalar,
    .bf16_product_rows = Bf16ProductRowsScalar,
    .bf16_l2_rows = Bf16L2RowsScalar,
};

}  // namespace

const DistanceKernels& ScalarKernels() {
  return kScalar;
}

}  // namespace sextant
