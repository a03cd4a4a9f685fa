// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"

#include "ranking/hubness/bank_pass.h"
#include "ranking/hubness/vector_rows.h"

namespace sextant {

// What hubness methods ask of every item: how it stands to a whole bank of
// other vectors. Each is one pass of matrix products, polls the context, and is
// exact up to the rounding of float products. Both sides have one dimension.

// log(sum over the bank of exp(scale * s(item, row) + offsets[row])), for any
// scale: the greatest term is taken out before exp. No `offsets`: all 0. An
// empty bank gives -infinity.
struct LogSumExp {
  double scale = 1;
  std::span<const float> offsets;
};
absl::Status LogSumExpOfItems(const VectorRows& items, const VectorRows& bank,
                              Similarity similarity, const LogSumExp& sum,
                              const PassRun& run, std::span<double> out);

// Mean of the k greatest similarities to the bank; of all, if there are fewer.
// k >= 1; an empty bank gives 0.
absl::Status TopMeansOfItems(const VectorRows& items, const VectorRows& bank,
                             Similarity similarity, size_t k,
                             const PassRun& run, std::span<float> out);

struct Neighbor {
  float similarity = 0;
  uint32_t row = 0;

  friend bool operator==(const Neighbor&, const Neighbor&) = default;
};

// For each item its k nearest rows of the bank, nearest first, equal ones by
// lower row: out[item * k ...]. k is at least 1 and at most what NeighborsOf
// says. `same_rows`: the bank is the items, and no row is its own neighbour.
struct NearestOptions {
  size_t k = 1;
  bool same_rows = false;
};
absl::Status NearestOfItems(const VectorRows& items, const VectorRows& bank,
                            Similarity similarity,
                            const NearestOptions& options, const PassRun& run,
                            std::span<Neighbor> out);

// How many neighbours an item can have: `options.k`, or fewer if there are not
// that many other rows.
size_t NeighborsOf(const VectorRows& bank, const NearestOptions& options);

}  // namespace sextant
