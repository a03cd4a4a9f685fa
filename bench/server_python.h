// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "bench/ann_dataset.h"

namespace sextant {

struct PythonRun {
  std::string python;  // interpreter
  std::string target;  // of the server
  std::string folder;  // for the queries' file
  double recall_target = 0;
  double seconds = 1;  // of each of its three measurements
  int cpu = -1;        // to pin it to
};

// What bench/server_client.py prints: one JSON object. kUnavailable with its
// message when it cannot run (no grpcio, no protoc).
absl::StatusOr<std::string> RunPythonClient(const PythonRun& run,
                                            const AnnDataset& dataset);

}  // namespace sextant
