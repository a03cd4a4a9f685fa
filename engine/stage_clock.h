// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>

namespace sextant {

// Seconds since it was made, for the timings of a search's stages.
class StageClock {
 public:
  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
};

}  // namespace sextant
