// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace sextant {

struct PlotAxis {
  std::string label;
  double low = 0;
  double high = 1;
  bool logarithmic = false;
  std::vector<double> ticks;
};

struct PlotLine {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct Plot {
  std::string title;
  std::string subtitle;
  PlotAxis x;
  PlotAxis y;
  std::vector<PlotLine> lines;  // at most eight are told apart
};

// 1, 2 and 5 times powers of ten that lie in the range.
std::vector<double> LogarithmicTicks(double low, double high);

// The plot as an SVG document of its own: a few kilobytes, no scripts, no
// fonts, readable on light and dark pages. Points outside the axes are left
// out.
std::string SvgText(const Plot& plot);

// Writes it to `path`, making the folder.
absl::Status WriteSvg(const Plot& plot, const std::string& path);

}  // namespace sextant
