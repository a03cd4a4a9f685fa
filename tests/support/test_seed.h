// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace sextant::test {

// A fresh seed, or the one in SEXTANT_SEED. Printed, so that a failure can be
// run again.
inline uint64_t TestSeed() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no setenv
  const char* wanted = std::getenv("SEXTANT_SEED");
  const uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10)
                                          : std::random_device()();
  std::cout << "SEXTANT_SEED=" << seed << "\n";
  return seed;
}

}  // namespace sextant::test
