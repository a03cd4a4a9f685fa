// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sextant {

// A rotation of vectors that is random but always the same for a dimension:
// rounds of random signs and a Hadamard transform (as in the fast
// Johnson-Lindenstrauss transform, Ailon and Chazelle 2009). It spreads what a
// few numbers hold over all of them, in n log n additions, and keeps lengths
// and inner products.
//
// Vectors are padded with zeros to a multiple of 64 numbers. Where that is no
// power of two, rounds take turns with the first and with the last power of two
// of the numbers, which overlap.
//
// Part of the format of 1-bit codes: a change makes them another format.
// Immutable, thread-safe.
class RandomRotation {
 public:
  explicit RandomRotation(uint32_t dimension);

  static size_t PaddedDimension(uint32_t dimension) {
    return (size_t{dimension} + 63) / 64 * 64;
  }

  // `numbers` has PaddedDimension() numbers; in place. Every processor gives
  // the same bits.
  void Apply(std::span<float> numbers) const;

 private:
  size_t block_;              // numbers of a transform, a power of two
  std::vector<float> signs_;  // 1 or -1 over the root of block_, by round
};

}  // namespace sextant
