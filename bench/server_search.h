// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/ann_contestant.h"
#include "bench/ann_dataset.h"
#include "bench/server_load.h"

namespace sextant {

struct SearchSettings {
  std::string cache_folder;
  std::string data_folder;  // of PrepareServerData
  std::string python;       // interpreter for the Python client; empty: none
  bool unix_socket = false;
  uint32_t k = 10;
  double recall = 0.95;
  int connections = 4;
  int outstanding = 32;  // searches in flight; a batch counts as so many
  int rounds = 5;
  double seconds = 1.5;  // of each run
  double write_points_per_s = 2'000;
  std::vector<double> loads = {0.2, 0.4, 0.6, 0.8, 0.9};  // of what it can do
  int server_cpu = -1;
  int client_cpu = -1;
};

// The runs of one kind of load.
struct LoadRuns {
  std::string name;  // "unary", "batch_16", ...
  uint32_t batch = 1;
  double offered_per_s = 0;  // searches; 0: closed loop
  std::vector<LoadResult> runs;

  // Medians of the runs; a search is one of a batch.
  double searches_per_s() const;
  double server_us() const;  // processor time a search
  double client_us() const;
  double PercentileMs(double percent) const;  // of calls
  double recall() const;
  uint64_t errors() const;  // sum
};

// An index in this process, on the server's processor.
struct InProcess {
  AnnEffort effort;
  double recall = 0;
  std::vector<double> qps;  // one a round, by processor time
};

struct SearchFigures {
  double recall_target = 0;  // of the server, to reach the recall
  double server_mb = 0;
  InProcess hnswlib;
  InProcess engine;  // at the server's target, over the server's segments
  std::vector<LoadRuns> idle;
  std::vector<LoadRuns> open_loop;
  std::vector<LoadRuns> writing;
  LoadRuns echo;
  // As many calls a second as the server answered unary searches: what a call
  // costs when the processor does not go from one to the next at once.
  LoadRuns echo_at_rate;
  double written_per_s = 0;
  uint64_t request_bytes = 0;  // of a unary search
  uint64_t answer_bytes = 0;
  std::string python_json;  // of the Python client; empty: left out

  // Of QPS, median over the rounds; `load` is one of `idle`.
  double RatioToHnswlib(const LoadRuns& load) const;
  // The same by the server's processor time: what the ratio is when the server
  // has its processor to itself and is never out of work.
  double CpuRatioToHnswlib(const LoadRuns& load) const;
  // Server time of a unary search above the engine's, over an echo's; median
  // over the rounds, in which all take turns. `echo_runs`
  // are one of the two.
  double OverheadTo(const LoadRuns& echo_runs) const;
};

// Both contestants are loaded. Ends with the loads that write.
absl::StatusOr<SearchFigures> MeasureSearches(const AnnDataset& dataset,
                                              const SearchSettings& settings,
                                              AnnContestant& hnswlib);

}  // namespace sextant
