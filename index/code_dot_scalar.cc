// SPDX-License-Identifier: Apache-2.0
#include "index/distance_kernels.h"

namespace sextant {

void CodeDotRowsScalar(const int8_t* query, const uint8_t* base, size_t stride,
                       size_t size, std::span<const uint32_t> rows,
                       int32_t* out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kBatchRows < rows.size()) {
      __builtin_prefetch(base + rows[i + kBatchRows] * stride);
    }
    const uint8_t* row = base + rows[i] * stride;
    int32_t sum = 0;
    for (size_t j = 0; j < size; ++j) {
      sum += static_cast<int32_t>(query[j]) * row[j];
    }
    out[i] = sum;
  }
}

}  // namespace sextant
