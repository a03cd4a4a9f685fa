// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "bench/ann_dataset.h"
#include "bench/window_postfilter.h"

namespace sextant {

// Vectors and the order that an attribute puts them into.
struct WindowSet {
  std::string name;
  AnnDataset data;
  std::vector<uint32_t> by_rank;  // rows in the order of the attribute
  std::vector<uint32_t> rank_of;  // by row
  // Where each query would stand in that order; empty where it has no place.
  std::vector<uint32_t> query_ranks;
};

struct WindowSource {
  std::string glove_folder;
  std::string debian_folder;
  std::string cache_folder;
  int threads = 2;
};

// One of:
//   glove-rank         GloVe words by frequency, which goes with the geometry
//   glove-permutation  in a random order of fixed seed
//   debian-size        Debian packages by download size, ties by row
//   synthetic          the synthetic million in a random order
//   adversarial        200,000 x 100, 100 Gaussians; the attribute is the
//                      number of a row's Gaussian, with noise, and queries come
//                      from Gaussians outside the window
absl::StatusOr<WindowSet> LoadWindowSet(absl::string_view name,
                                        const WindowSource& source);

// `count` queries with windows of `rows` ranks, uniformly placed; the same for
// the same arguments.
std::vector<WindowQuery> MakeWindowQueries(const WindowSet& set, uint32_t rows,
                                           uint32_t count);

}  // namespace sextant
