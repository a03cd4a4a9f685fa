// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/ann_measure.h"
#include "bench/window_dataset.h"
#include "index/window_index.h"

namespace sextant {

enum class WindowMethodWanted { kPlanned, kScan, kGraph };

struct WindowSettings {
  AnnSettings ann;  // k, build, cache folder, processor
  uint32_t queries = 100;
  int narrowest = 16;  // windows of 2^0 to 2^-narrowest of the rows
  int step = 1;        // between the exponents
  uint32_t bits = 4;   // of the codes
  double recall_target = 0.95;
  WindowMethodWanted method = WindowMethodWanted::kPlanned;
  bool with_postfilter = true;
};

struct WindowPoint {
  int exponent = 0;  // the window holds 2^-exponent of the rows
  uint32_t rows = 0;
  double recall = 0;
  double qps = 0;
  std::string plan;
  double distances = 0;  // a query
  double prefilter_qps = 0;
  double postfilter_qps = 0;
  // Where it stays below the target, postfilter_qps is that of the widest
  // search that was tried.
  double postfilter_recall = 0;
};

struct WindowResult {
  std::string set;
  uint32_t rows = 0;
  uint32_t dimension = 0;
  std::optional<double> hnswlib_unfiltered_qps;  // at recall 0.95
  double index_bytes_per_row = 0;                // what the window adds
  double index_build_s = 0;                      // CPU
  std::vector<WindowPoint> points;
};

// Builds or loads the indexes of `set`, then measures every window width: the
// engine, a scan of the floats in the order of the attribute ("prefilter"),
// HNSWlib asked for more and more rows ("postfilter"), and HNSWlib without a
// window. CPU seconds of one thread; the engine and the scan take turns.
absl::StatusOr<WindowResult> MeasureWindows(const WindowSet& set,
                                            const WindowSettings& settings);

}  // namespace sextant
