// SPDX-License-Identifier: Apache-2.0
#include "index/distance.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "index/distance_kernels.h"

namespace sextant {
namespace {

// Narrowest first.
std::vector<const DistanceKernels*> DetectKernels() {
  std::vector<const DistanceKernels*> sets = {&ScalarKernels()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sets.push_back(&Avx2Kernels());
    if (__builtin_cpu_supports("avx512f")) {
      sets.push_back(&Avx512Kernels());
      if (__builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512vnni")) {
        sets.push_back(&Avx512VnniKernels());
        if (__builtin_cpu_supports("avx512vpopcntdq")) {
          sets.push_back(&Avx512PopcntKernels());
        }
      }
    }
  }
#endif
  return sets;
}

const std::vector<const DistanceKernels*>& DetectedKernels() {
  static const std::vector<const DistanceKernels*>& sets =
      *new std::vector<const DistanceKernels*>(DetectKernels());
  return sets;
}

const DistanceKernels& ChooseKernels() {
  const auto& sets = DetectedKernels();
  // Read once, before main() starts threads or under the static's lock.
  const char* wanted =
      std::getenv("SEXTANT_SIMD");  // NOLINT(concurrency-mt-unsafe): no setenv
  if (wanted == nullptr || *wanted == '\0') {
    return *sets.back();
  }
  for (const DistanceKernels* set : sets) {
    if (set->name == wanted) {
      return *set;
    }
  }
  std::fprintf(stderr,
               "SEXTANT_SIMD=%s is not a set that this processor runs "
               "(scalar, avx2, avx512, avx512vnni, avx512popcnt); using %s\n",
               wanted, sets.back()->name.data());
  return *sets.back();
}

}  // namespace

const DistanceKernels& Kernels() {
  static const DistanceKernels& chosen = ChooseKernels();
  return chosen;
}

std::span<const DistanceKernels* const> SupportedKernels() {
  return DetectedKernels();
}

bool Normalize(std::span<float> vector) {
  double sum = 0;
  for (const float x : vector) {
    sum += static_cast<double>(x) * static_cast<double>(x);
  }
  const double norm = std::sqrt(sum);
  if (!std::isfinite(norm) || norm == 0) {
    return false;
  }
  for (float& x : vector) {
    x = static_cast<float>(static_cast<double>(x) / norm);
  }
  return true;
}

}  // namespace sextant
