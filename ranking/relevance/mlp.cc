// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/mlp.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

absl::Status CheckNumbers(const std::vector<float>& numbers, uint64_t expected,
                          absl::string_view path) {
  if (numbers.size() != expected) {
    return InvalidField(path, absl::StrCat("expected ", expected,
                                           " numbers, got ", numbers.size()));
  }
  const bool is_fine = std::ranges::all_of(
      numbers, [](float x) { return std::abs(x) <= Mlp::kWeightMax; });
  return is_fine ? absl::OkStatus()
                 : InvalidField(path, absl::StrCat("numbers are finite and up "
                                                   "to ",
                                                   Mlp::kWeightMax));
}

}  // namespace

size_t Mlp::weight_count() const {
  size_t count = 0;
  for (const MlpLayer& layer : layers) {
    count += layer.weights.size() + layer.biases.size();
  }
  return count;
}

absl::Status ValidateMlp(const Mlp& mlp, uint32_t inputs, uint32_t outputs) {
  const size_t count = mlp.layers.size();
  if (count < 1 || count > Mlp::kLayersMax) {
    return InvalidField(
        "layers", absl::StrCat("1 to ", Mlp::kLayersMax, ", got ", count));
  }
  if (mlp.weight_count() > Mlp::kWeightsMax) {
    return InvalidField(
        "layers", absl::StrCat("at most ", Mlp::kWeightsMax, " numbers, got ",
                               mlp.weight_count()));
  }
  uint32_t width = inputs;
  for (size_t i = 0; i < count; ++i) {
    const MlpLayer& layer = mlp.layers[i];
    const std::string path = absl::StrCat("layers[", i, "].");
    const bool is_last = i + 1 == count;
    if (layer.inputs != width) {
      return InvalidField(
          path + "inputs",
          absl::StrCat("expected ", width, ", got ", layer.inputs));
    }
    if (is_last && layer.outputs != outputs) {
      return InvalidField(
          path + "outputs",
          absl::StrCat("the last layer has the ", outputs,
                       " parameters of the family, got ", layer.outputs));
    }
    if (layer.outputs < 1 || (!is_last && layer.outputs > Mlp::kWidthMax)) {
      return InvalidField(
          path + "outputs",
          absl::StrCat("1 to ", Mlp::kWidthMax, ", got ", layer.outputs));
    }
    RETURN_IF_ERROR(CheckNumbers(layer.weights,
                                 uint64_t{layer.inputs} * layer.outputs,
                                 path + "weights"));
    RETURN_IF_ERROR(CheckNumbers(layer.biases, layer.outputs, path + "biases"));
    width = layer.outputs;
  }
  return absl::OkStatus();
}

std::vector<double> Evaluate(const Mlp& mlp, std::span<const float> x) {
  std::vector<double> values(x.begin(), x.end());
  for (size_t i = 0; i < mlp.layers.size(); ++i) {
    const MlpLayer& layer = mlp.layers[i];
    CHECK_EQ(values.size(), layer.inputs) << "a layer of another width";
    std::vector<double> next(layer.outputs);
    for (size_t out = 0; out < next.size(); ++out) {
      const float* const row = layer.weights.data() + out * values.size();
      double sum = static_cast<double>(layer.biases[out]);
      for (size_t in = 0; in < values.size(); ++in) {
        sum += static_cast<double>(row[in]) * values[in];
      }
      next[out] = i + 1 < mlp.layers.size() ? std::max(0.0, sum) : sum;
    }
    values = std::move(next);
  }
  return values;
}

}  // namespace sextant
