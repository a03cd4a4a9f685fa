// SPDX-License-Identifier: Apache-2.0
//
// For tests only.

#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace sextant::test {

// In float64, what answers are compared with.
inline double ExactCosine(const std::vector<float>& a,
                          const std::vector<float>& b) {
  double product = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]);
    const auto y = static_cast<double>(b[i]);
    product += x * y;
    aa += x * x;
    bb += y * y;
  }
  return product / std::sqrt(aa * bb);
}

}  // namespace sextant::test
