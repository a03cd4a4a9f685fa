// SPDX-License-Identifier: Apache-2.0
#include "index/distance_kernels.h"

namespace sextant {
namespace {

template <typename Dot>
void DotRows(const uint8_t* base, size_t stride, std::span<const uint32_t> rows,
             Dot dot, int32_t* out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kBatchRows < rows.size()) {
      __builtin_prefetch(base + rows[i + kBatchRows] * stride);
    }
    const uint8_t* row = base + rows[i] * stride;
    int32_t sum = 0;
    for (size_t j = 0; j < stride; ++j) {
      sum += dot(row[j], j);
    }
    out[i] = sum;
  }
}

}  // namespace

void CodeDotRowsScalar(const int8_t* query, const uint8_t* base, size_t stride,
                       std::span<const uint32_t> rows, int32_t* out) {
  DotRows(
      base, stride, rows,
      [query](int32_t code, size_t j) { return code * query[j]; }, out);
}

void NibbleDotRowsScalar(const int8_t* query, const uint8_t* base,
                         size_t stride, std::span<const uint32_t> rows,
                         int32_t* out) {
  DotRows(
      base, stride, rows,
      [query, stride](int32_t codes, size_t j) {
        return (codes & 15) * query[j] + (codes >> 4) * query[stride + j];
      },
      out);
}

}  // namespace sextant
