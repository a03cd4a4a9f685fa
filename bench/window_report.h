// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "bench/window_measure.h"

namespace sextant {

// `points`: one object for each set and window width, with "set", "fraction",
// "recall", "qps", "plan", "prefilter_qps", "postfilter_qps",
// "postfilter_recall" and "hnswlib_unfiltered_qps"; `sets`: what the index of
// each costs; the processor. Documented in docs/how-to/benchmark.md.
std::string WindowJson(const std::vector<WindowResult>& results);

std::string WindowTable(const WindowResult& result);

// window-NAME.svg in `folder`: queries a second over the window's width.
absl::Status WriteWindowPlot(const WindowResult& result,
                             const std::string& folder);

}  // namespace sextant
