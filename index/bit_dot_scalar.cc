// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>

#include "index/distance_kernels.h"

namespace sextant {
namespace {

int32_t Dot(const int8_t* planes, const uint8_t* row, size_t stride) {
  int32_t sum = 0;
  for (size_t i = 0; i < stride; i += sizeof(uint64_t)) {
    uint64_t bits = 0;
    std::memcpy(&bits, row + i, sizeof(bits));
    for (size_t p = 0; p < kBitPlanes; ++p) {
      uint64_t plane = 0;
      std::memcpy(&plane, planes + p * stride + i, sizeof(plane));
      const int32_t count = std::popcount(bits & plane);
      sum += p + 1 < kBitPlanes ? count << p : -(count << p);
    }
  }
  return sum;
}

}  // namespace

void BitDotRowsScalar(const int8_t* planes, const uint8_t* base, size_t stride,
                      std::span<const uint32_t> rows, int32_t* out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kBatchRows < rows.size()) {
      __builtin_prefetch(base + rows[i + kBatchRows] * stride);
    }
    out[i] = Dot(planes, base + rows[i] * stride, stride);
  }
}

}  // namespace sextant
