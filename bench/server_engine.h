// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/ann_dataset.h"
#include "bench/server_data.h"
#include "engine/database.h"

namespace sextant {

// What the server does between its two ends: the same engine, opened in this
// process over a copy of the server's data directory, so that segments, plans
// and answers are the server's.
class EngineInProcess {
 public:
  // `folder` is of PrepareServerData.
  static absl::StatusOr<std::unique_ptr<EngineInProcess>> Open(
      const std::string& cache_folder, const std::string& folder);
  ~EngineInProcess();

  // Mean tie-aware recall of all queries.
  absl::StatusOr<double> Recall(const AnnDataset& dataset, uint32_t k,
                                double recall_target) const;
  // Passes over all queries for at least `seconds`, on the calling thread, by
  // processor time of the process: like the server's, it has the engine's
  // background threads in it.
  absl::StatusOr<double> Qps(const AnnDataset& dataset, uint32_t k,
                             double recall_target, double seconds) const;

 private:
  EngineInProcess();

  std::unique_ptr<ScratchData> scratch_;
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

}  // namespace sextant
