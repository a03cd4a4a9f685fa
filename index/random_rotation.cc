// SPDX-License-Identifier: Apache-2.0
#include "index/random_rotation.h"

#include <bit>
#include <cmath>
#include <random>

#include "base/check.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20240527;
constexpr size_t kRounds = 4;

// Not yet scaled by 1 / sqrt(size).
void Hadamard(float* numbers, size_t size) {
  for (size_t half = 1; half < size; half *= 2) {
    for (size_t begin = 0; begin < size; begin += 2 * half) {
      for (size_t i = begin; i < begin + half; ++i) {
        const float a = numbers[i];
        const float b = numbers[i + half];
        numbers[i] = a + b;
        numbers[i + half] = a - b;
      }
    }
  }
}

}  // namespace

RandomRotation::RandomRotation(uint32_t dimension)
    : block_(std::bit_floor(PaddedDimension(dimension))) {
  const float scale = 1 / std::sqrt(static_cast<float>(block_));
  std::mt19937_64 random(kSeed);
  uint64_t bits = 0;
  for (size_t i = 0; i < kRounds * block_; ++i) {
    bits = i % 64 == 0 ? random() : bits >> 1U;
    signs_.push_back((bits & 1U) != 0 ? scale : -scale);
  }
}

void RandomRotation::Apply(std::span<float> numbers) const {
  CHECK(numbers.size() >= block_ && numbers.size() < 2 * block_);
  for (size_t round = 0; round < kRounds; ++round) {
    float* const block =
        numbers.data() + (round % 2 == 0 ? 0 : numbers.size() - block_);
    const float* const signs = signs_.data() + round * block_;
    for (size_t i = 0; i < block_; ++i) {
      block[i] *= signs[i];
    }
    Hadamard(block, block_);
  }
}

}  // namespace sextant
