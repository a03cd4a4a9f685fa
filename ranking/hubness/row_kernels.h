// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>

namespace sextant {

// Loops over rows of similarities, for the widest vectors that the processor
// has. Sums of numbers come in one order on every processor; what a fused
// multiplication rounds differently stays below 1e-6 of the result.
struct RowKernels {
  // values[i] = scale * values[i] + offsets[i] (null: + 0), and the greatest of
  // them; -infinity for none.
  float (*scale_and_max)(float* values, size_t count, float scale,
                         const float* offsets);
  // Sum of exp(values[i] - max), where no value exceeds max.
  float (*sum_exp)(const float* values, size_t count, float max);
  // The greatest; -infinity for none.
  float (*max)(const float* values, size_t count);
  // out[i] = the greater of out[i] and values[i].
  void (*max_into)(const float* values, size_t count, float* out);
};

// Chosen once. Thread-safe.
const RowKernels& ChosenRowKernels();

}  // namespace sextant
