// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "bench/ann_contestant.h"
#include "bench/ann_dataset.h"

namespace sextant {

struct AnnSettings {
  uint32_t k = 10;
  AnnBuildOptions build;
  std::string cache_folder;
  bool rebuild = false;
  bool quick = false;
  // Beam widths; empty: chosen so that recall 0.95 and 0.99 lie between two.
  std::vector<uint32_t> efs;
  double measure_s = 90;
  int cpu = -1;  // to pin the searching thread to
};

struct AnnPoint {
  AnnEffort effort;
  double recall = 0;
  double qps = 0;  // median over the passes
  std::vector<double> pass_qps;
};

struct AnnResult {
  std::unique_ptr<AnnContestant> contestant;
  double build_s = 0;      // wall
  double build_cpu_s = 0;  // all threads
  int build_threads = 0;
  double file_mb = 0;
  double rss_mb = 0;
  std::vector<AnnPoint> curve;  // by effort
  std::optional<double> qps_at_095;
  std::optional<double> qps_at_099;
};

// Builds, or finds in the cache, and loads the index of `result.contestant`.
absl::Status PrepareAnn(const AnnDataset& dataset, const AnnSettings& settings,
                        AnnResult& result);

// Fills the curves. Passes over all queries, the contestants taking turns, so
// that a noisy machine disturbs all alike; times are CPU seconds of the
// searching thread.
void MeasureAnn(const AnnDataset& dataset, const AnnSettings& settings,
                std::vector<AnnResult>& results);

// Log-linear between the two points around `recall`; empty if the curve does
// not reach it. A curve that starts above it gives its first point.
std::optional<double> QpsAtRecall(const std::vector<AnnPoint>& curve,
                                  double recall);

}  // namespace sextant
