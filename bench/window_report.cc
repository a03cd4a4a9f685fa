// SPDX-License-Identifier: Apache-2.0
#include "bench/window_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "bench/processor.h"
#include "bench/svg_plot.h"

namespace sextant {
namespace {

double Fraction(const WindowPoint& point) {
  return std::ldexp(1.0, -point.exponent);
}

nlohmann::json OrNull(double value) {
  return value > 0 ? nlohmann::json(value) : nlohmann::json();
}

}  // namespace

std::string WindowJson(const std::vector<WindowResult>& results) {
  nlohmann::json points = nlohmann::json::array();
  nlohmann::json sets = nlohmann::json::array();
  for (const WindowResult& result : results) {
    const double unfiltered = result.hnswlib_unfiltered_qps.value_or(0);
    sets.push_back({{"set", result.set},
                    {"rows", result.rows},
                    {"dimension", result.dimension},
                    {"hnswlib_unfiltered_qps", OrNull(unfiltered)},
                    {"index_bytes_per_row", result.index_bytes_per_row},
                    {"index_build_cpu_s", result.index_build_s}});
    for (const WindowPoint& point : result.points) {
      points.push_back({{"set", result.set},
                        {"fraction", Fraction(point)},
                        {"rows", point.rows},
                        {"recall", point.recall},
                        {"qps", point.qps},
                        {"plan", point.plan},
                        {"distances", point.distances},
                        {"prefilter_qps", point.prefilter_qps},
                        {"postfilter_qps", OrNull(point.postfilter_qps)},
                        {"postfilter_recall", OrNull(point.postfilter_recall)},
                        {"hnswlib_unfiltered_qps", OrNull(unfiltered)}});
    }
  }
  return nlohmann::json({{"processor", ProcessorName()},
                         {"sets", sets},
                         {"points", points}})
             .dump(2) +
         "\n";
}

std::string WindowTable(const WindowResult& result) {
  const double unfiltered = result.hnswlib_unfiltered_qps.value_or(0);
  std::string text = absl::StrFormat(
      "%s: %d x %d; HNSWlib without a window: %.0f QPS at recall 0.95; the "
      "window's index: %.0f bytes a row, built in %.1f s of CPU\n"
      "%8s %8s %7s %10s %12s %10s %11s %9s %9s  %s\n",
      result.set, result.rows, result.dimension, unfiltered,
      result.index_bytes_per_row, result.index_build_s, "fraction", "rows",
      "recall", "QPS", "x unfiltered", "prefilter", "postfilter", "x better",
      "x post", "plan");
  for (const WindowPoint& point : result.points) {
    const double better = std::max(point.prefilter_qps, point.postfilter_qps);
    absl::StrAppendFormat(
        &text, "%8s %8d %7.4f %10.0f %12.2f %10.0f %10.0f%s %9.2f %9.1f  %s\n",
        absl::StrCat("2^-", point.exponent), point.rows, point.recall,
        point.qps, unfiltered > 0 ? point.qps / unfiltered : 0,
        point.prefilter_qps, point.postfilter_qps,
        point.postfilter_recall >= 0.95 ? " " : "*", point.qps / better,
        point.postfilter_qps > 0 ? point.qps / point.postfilter_qps : 0,
        point.plan);
  }
  return text +
         "(* recall below 0.95 whatever its width: a bound in its favour)\n";
}

absl::Status WriteWindowPlot(const WindowResult& result,
                             const std::string& folder) {
  Plot plot;
  plot.title = absl::StrCat(result.set, ": searches in a window");
  plot.subtitle = absl::StrFormat("%d x %d, recall@10 at least 0.95, one core",
                                  result.rows, result.dimension);
  PlotLine engine{"engine", {}};
  PlotLine prefilter{"scan of floats", {}};
  PlotLine postfilter{"HNSWlib, filtered after", {}};
  PlotLine unfiltered{"HNSWlib, no window", {}};
  double low = 1e12;
  double high = 1;
  for (const WindowPoint& point : result.points) {
    const double x = Fraction(point);
    const auto add = [&](PlotLine& line, double qps) {
      if (qps > 0) {
        line.points.emplace_back(x, qps);
        low = std::min(low, qps);
        high = std::max(high, qps);
      }
    };
    add(engine, point.qps);
    add(prefilter, point.prefilter_qps);
    add(postfilter, point.postfilter_qps);
    add(unfiltered, result.hnswlib_unfiltered_qps.value_or(0));
  }
  const double narrowest =
      result.points.empty() ? 0.5 : Fraction(result.points.back());
  plot.x = {"share of the rows in the window", narrowest, 1, true,
            LogarithmicTicks(narrowest, 1)};
  plot.y = {"queries a second", low / 1.2, high * 1.2, true,
            LogarithmicTicks(low / 1.2, high * 1.2)};
  plot.lines = {engine, prefilter, postfilter, unfiltered};
  return WriteSvg(plot, absl::StrCat(folder, "/window-", result.set, ".svg"));
}

}  // namespace sextant
