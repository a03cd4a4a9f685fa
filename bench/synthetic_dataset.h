// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "bench/ann_dataset.h"

namespace sextant {

// A set of unit vectors that the benchmark makes itself, for sizes that no
// folder offers. The defaults are the set that our figures name.
struct SyntheticShape {
  uint32_t rows = 1'000'000;
  uint32_t queries = 1'000;
  uint32_t dimension = 128;
  uint32_t clusters = 256;
  uint32_t intrinsic_dimension = 20;
  uint64_t seed = 20'240'601;
};

// Rows lie near curved surfaces: each cluster maps a normal vector z of the
// intrinsic dimension to centre + B z + C sin(2 A z), with matrices of its own
// (A, B, C random), plus a little noise in all dimensions; then unit length.
// The cluster of a row is random, so files are in no order. Queries come from
// the same source and are not rows.
//
// Returns a folder below `cache_folder` with base.npy, queries.npy and
// gt_scores.npy (the exact best 100, by a scan of all rows), made on `threads`
// threads if it is not there; the same on every machine up to rounding.
absl::StatusOr<std::string> SyntheticFolder(const std::string& cache_folder,
                                            const SyntheticShape& shape,
                                            int threads);

// What `--data` may name besides a folder.
inline constexpr char kSynthetic[] = "synthetic";

// Where the benchmarks' vectors come from.
struct DataSource {
  std::string data;          // a folder, or kSynthetic
  std::string cache_folder;  // for the synthetic set
  uint32_t k = 10;           // as for ReadAnnDataset
  uint32_t max_rows = 0;
  int threads = 2;
};
absl::StatusOr<AnnDataset> ReadDataset(const DataSource& source);

}  // namespace sextant
