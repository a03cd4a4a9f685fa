// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/ann_dataset.h"

namespace sextant {

// What is sent, and how.
struct ServerLoad {
  std::string target;  // "host:port" or "unix:PATH"
  pid_t server = 0;    // whose processor time counts
  std::string collection;
  uint32_t k = 10;
  double recall_target = 0;
  uint32_t batch = 1;  // searches a call; 1 is the unary method
  int connections = 1;
  // Closed loop: calls in flight; each answer is followed by the next call.
  int outstanding = 32;
  // Open loop if not 0: calls come at random moments (Poisson) at this mean
  // rate, however slow the answers are.
  double calls_per_s = 0;
  double seconds = 1;
  // Are not counted.
  double warm_up_s = 0.3;
  uint64_t seed = 1;
};

struct LoadResult {
  uint64_t calls = 0;  // answered well
  uint64_t errors = 0;
  std::string first_error;
  double wall_s = 0;
  double server_cpu_s = 0;
  double client_cpu_s = 0;  // an open loop spins: its number means nothing
  // From the moment the call was due, also when it could not be sent then (no
  // coordinated omission); ascending.
  std::vector<double> latencies_ms;
  double recall = 0;  // of the queries that were answered, each once
  uint64_t queries_judged = 0;
  uint64_t request_bytes = 0;  // of one call
  std::string answer;          // of one call, serialised

  double calls_per_s() const { return static_cast<double>(calls) / wall_s; }
  // `percent` of the calls were as fast or faster.
  double PercentileMs(double percent) const;
};

// One thread, generated asynchronous stubs, one completion queue. The error
// is that of the first call if none went well.
absl::StatusOr<LoadResult> RunLoad(const ServerLoad& load,
                                   const AnnDataset& dataset);

}  // namespace sextant
