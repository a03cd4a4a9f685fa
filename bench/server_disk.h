// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/ann_dataset.h"

namespace sextant {

// Writing the set: through gRPC, acknowledged and fsynced, against RocksDB
// alone.
struct IngestResult {
  uint32_t rows = 0;
  uint32_t chunk = 0;             // points a message, and rows a fsynced batch
  uint64_t bytes = 0;             // ids and vectors
  std::vector<double> server_s;   // one a round
  std::vector<double> rocksdb_s;  // beside it

  double ratio() const;  // of the speeds, median of the rounds
};

// Streams the first `rows` rows into a fresh server (all processors, default
// settings: it builds graphs meanwhile), then writes the same ids and vectors
// with one fsync for each `chunk` rows into a bare RocksDB with its default
// options; in turn, `rounds` times.
absl::StatusOr<IngestResult> MeasureIngest(const AnnDataset& dataset,
                                           const std::string& cache_folder,
                                           IngestResult shape, int rounds);

struct RestartResult {
  std::vector<double> seconds;  // one for each kill -9 and start
  bool rebuilt = false;         // whether any start left something to build
};

// Kills a server of the data in `folder` (which is copied) and starts it again:
// from the start of the process to the first correct answer through gRPC. The
// files are in the page cache.
absl::StatusOr<RestartResult> MeasureRestart(const AnnDataset& dataset,
                                             const std::string& cache_folder,
                                             const std::string& folder,
                                             int rounds);

}  // namespace sextant
