// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"

namespace sextant {

// y = W x + b.
struct MlpLayer {
  uint32_t inputs = 0;
  uint32_t outputs = 0;
  std::vector<float> weights;  // outputs x inputs, row by row
  std::vector<float> biases;   // by output
};

// A multilayer perceptron with max(0, x) between its layers.
struct Mlp {
  static constexpr size_t kLayersMax = 4;
  static constexpr uint32_t kWidthMax = 1024;  // of hidden layers
  static constexpr size_t kWeightsMax = size_t{4} << 20U;
  static constexpr float kWeightMax = 1e6F;  // magnitude

  std::vector<MlpLayer> layers;

  size_t weight_count() const;
};

// That the layers fit each other, `inputs` and `outputs`, and the limits.
// InvalidField with paths like "layers[1].weights".
absl::Status ValidateMlp(const Mlp& mlp, uint32_t inputs, uint32_t outputs);

// Its outputs for a checked one; finite for finite `x`, which has as many
// numbers as the first layer takes.
std::vector<double> Evaluate(const Mlp& mlp, std::span<const float> x);

}  // namespace sextant
