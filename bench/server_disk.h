// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/ann_dataset.h"

namespace sextant {

// One side of one round of writing.
struct IngestRun {
  double wall_s = 0;
  double cpu_s = 0;         // of this process
  double server_cpu_s = 0;  // 0 where there is no server
};

// Writing the set: through gRPC, acknowledged and fsynced, against RocksDB
// alone.
struct IngestResult {
  uint32_t rows = 0;
  uint32_t chunk = 0;              // points a message, and rows a fsynced batch
  uint64_t bytes = 0;              // that RocksDB is given, on either side
  std::vector<IngestRun> server;   // one a round
  std::vector<IngestRun> rocksdb;  // beside it

  double ratio() const;  // of the speeds, median of the rounds
};

// Streams the first `rows` rows into a fresh server (all processors, default
// settings: it builds graphs meanwhile), then writes the same bytes (the
// records that the server makes of these rows, in the same column families
// with the same options) with one fsync for each `chunk` rows into a bare
// RocksDB; in turn, `rounds` times.
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
