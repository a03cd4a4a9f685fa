// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <numbers>
#include <random>
#include <utility>

namespace sextant {

// Two independent normal numbers by Box and Muller, the same on every platform
// up to rounding: the standard library's distribution is another one on each.
inline std::pair<double, double> NormalPair(std::mt19937_64& random) {
  // In (0, 1].
  const auto uniform = [&random] {
    return static_cast<double>((random() >> 11U) + 1) * 0x1p-53;
  };
  const double radius = std::sqrt(-2 * std::log(uniform()));
  const double angle = 2 * std::numbers::pi * uniform();
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace sextant
