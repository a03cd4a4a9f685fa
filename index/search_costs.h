// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sextant {

// What the parts of a search take, nanoseconds.
struct SearchCosts {
  double graph_ns = 1;        // a distance of a graph search
  double estimate_ns = 0.25;  // a row estimated by its code, out of order
  double row_ns = 1;          // a row scored with its floats, out of order
  double scan_ns = 0.25;      // the same in order
};

// What they take on this processor with one index, as its searches show.
//
// Before any search that is a guess: what they took on one core of a server
// processor, where they wait for memory, so that bytes count. Each part learns
// from its own searches; one that was not seen yet is as much slower or faster
// than the guess as those that were.
//
// Thread-safe; concurrent observations may be lost, which does no harm.
class ObservedCosts {
 public:
  enum class Part : uint8_t { kGraph, kEstimates, kRows, kScan };

  // Bytes of a row that graph searches read, and of its floats.
  ObservedCosts(size_t code_bytes, size_t float_bytes);

  SearchCosts costs() const;

  // `count` distances or rows took `ns`. Few say nothing; what is far from what
  // is known (the thread had to wait, say) counts as if it were nearer.
  void Observe(Part part, uint64_t count, double ns);

 private:
  static constexpr size_t kParts = 4;

  double CostOf(Part part) const;

  std::array<double, kParts> guesses_;
  // Times the guess; 0: not seen.
  std::array<std::atomic<float>, kParts> times_ = {};
  std::atomic<float> times_of_all_{1};
};

}  // namespace sextant
