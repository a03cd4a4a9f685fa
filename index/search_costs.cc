// SPDX-License-Identifier: Apache-2.0
#include "index/search_costs.h"

#include <algorithm>

namespace sextant {
namespace {

// Of a distance of a graph search: what does not depend on the row's size.
constexpr double kGraphNsFixed = 32;
constexpr double kGraphNsPerByte = 0.1;
// It is known ahead which rows follow, so they are fetched ahead.
constexpr double kEstimateNsFixed = 8;
constexpr double kEstimateNsPerByte = 0.025;
constexpr double kRowNsFixed = 16;
constexpr double kRowNsPerByte = 0.08;
constexpr double kScanNsFixed = 1;
constexpr double kScanNsPerByte = 0.04;
// Fewer are over before it is clear what they took.
constexpr uint64_t kObservedMin = 256;

constexpr float kRate = 0.05F;
constexpr double kOutlierTimes = 4;

double Guess(double fixed, double per_byte, size_t bytes) {
  return fixed + per_byte * static_cast<double>(bytes);
}

void Move(std::atomic<float>& times, float from, double seen) {
  const double taken =
      std::clamp(seen, from / kOutlierTimes, from * kOutlierTimes);
  times.store(from + kRate * (static_cast<float>(taken) - from),
              std::memory_order_relaxed);
}

}  // namespace

ObservedCosts::ObservedCosts(size_t code_bytes, size_t float_bytes)
    : guesses_{Guess(kGraphNsFixed, kGraphNsPerByte, code_bytes),
               Guess(kEstimateNsFixed, kEstimateNsPerByte, code_bytes),
               Guess(kRowNsFixed, kRowNsPerByte, float_bytes),
               Guess(kScanNsFixed, kScanNsPerByte, float_bytes)} {}

double ObservedCosts::CostOf(Part part) const {
  const auto i = static_cast<size_t>(part);
  const float times = times_[i].load(std::memory_order_relaxed);
  return guesses_[i] *
         double{times != 0 ? times
                           : times_of_all_.load(std::memory_order_relaxed)};
}

SearchCosts ObservedCosts::costs() const {
  return {CostOf(Part::kGraph), CostOf(Part::kEstimates), CostOf(Part::kRows),
          CostOf(Part::kScan)};
}

void ObservedCosts::Observe(Part part, uint64_t count, double ns) {
  if (count < kObservedMin) {
    return;
  }
  const auto i = static_cast<size_t>(part);
  const double seen = ns / static_cast<double>(count) / guesses_[i];
  const float of_all = times_of_all_.load(std::memory_order_relaxed);
  const float own = times_[i].load(std::memory_order_relaxed);
  Move(times_[i], own != 0 ? own : of_all, seen);
  Move(times_of_all_, of_all, seen);
}

}  // namespace sextant
