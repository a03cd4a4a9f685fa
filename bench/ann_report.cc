// SPDX-License-Identifier: Apache-2.0
#include "bench/ann_report.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "bench/processor.h"
#include "bench/svg_plot.h"
#include "index/distance.h"

namespace sextant {
namespace {

nlohmann::json OrNull(const std::optional<double>& number) {
  return number.has_value() ? nlohmann::json(*number) : nlohmann::json();
}

nlohmann::json Ratio(const std::optional<double>& a,
                     const std::optional<double>& b) {
  return a.has_value() && b.has_value() ? nlohmann::json(*a / *b)
                                        : nlohmann::json();
}

std::string Cell(const std::optional<double>& number) {
  return number.has_value() ? absl::StrFormat("%9.0f", *number) : "        -";
}

nlohmann::json ContestantJson(const AnnResult& result) {
  nlohmann::json curve = nlohmann::json::array();
  for (const AnnPoint& point : result.curve) {
    nlohmann::json json = {{"recall", point.recall},
                           {"qps", point.qps},
                           {"passes", point.pass_qps.size()}};
    if (point.effort.ef != 0) {
      json["ef"] = point.effort.ef;
    } else {
      json["recall_target"] = point.effort.recall_target;
    }
    curve.push_back(std::move(json));
  }
  return {{"build_s", result.build_s},
          {"build_cpu_s", result.build_cpu_s},
          {"build_threads", result.build_threads},
          {"rss_mb", result.rss_mb},
          {"file_mb", result.file_mb},
          {"qps_at_095", OrNull(result.qps_at_095)},
          {"qps_at_099", OrNull(result.qps_at_099)},
          {"curve", curve}};
}

}  // namespace

std::string AnnJson(const AnnDataset& dataset, const AnnSettings& settings,
                    const std::vector<AnnResult>& results) {
  double load[1] = {0};
  (void)getloadavg(load, 1);
  nlohmann::json json = {
      {"dataset",
       {{"name", dataset.name},
        {"rows", dataset.rows},
        {"dimension", dataset.dimension},
        {"queries", dataset.queries}}},
      {"settings",
       {{"k", settings.k},
        {"m", settings.build.m},
        {"ef_construction", settings.build.ef_construction},
        {"search_threads", 1},
        {"cpu", settings.cpu},
        {"quick", settings.quick},
        {"qps_clock", "CPU seconds of the searching thread, median of passes"},
        {"hnswlib_flags", "-O3 -march=native"},
        {"engine_flags", "-O3, kernels chosen at start"}}},
      {"machine",
       {{"processor", ProcessorName()},
        {"processors", std::thread::hardware_concurrency()},
        {"engine_kernels", std::string(Kernels().name)},
        {"load_average", load[0]},
        {"compiler", __VERSION__}}}};
  json["ratios"] = nlohmann::json::object();
  const AnnResult* engine = nullptr;
  for (const AnnResult& result : results) {
    const std::string name(result.contestant->name());
    json[name] = ContestantJson(result);
    if (name == "engine") {
      engine = &result;
      continue;
    }
    if (engine != nullptr) {
      json["ratios"][name] = {
          {"at_095", Ratio(engine->qps_at_095, result.qps_at_095)},
          {"at_099", Ratio(engine->qps_at_099, result.qps_at_099)}};
    }
  }
  return json.dump(2) + "\n";
}

std::string AnnTable(const AnnDataset& dataset,
                     const std::vector<AnnResult>& results) {
  std::string table = absl::StrFormat(
      "%s: %d rows, %d dimensions, %d queries, one search thread\n\n"
      "%-14s %9s %9s %9s %9s %9s\n",
      dataset.name, dataset.rows, dataset.dimension, dataset.queries, "",
      "QPS@0.95", "QPS@0.99", "build s", "CPU s", "RSS MB");
  for (const AnnResult& result : results) {
    absl::StrAppendFormat(&table, "%-14s %s %s %9.1f %9.1f %9.0f\n",
                          std::string(result.contestant->name()),
                          Cell(result.qps_at_095), Cell(result.qps_at_099),
                          result.build_s, result.build_cpu_s, result.rss_mb);
  }
  for (size_t i = 1; i < results.size(); ++i) {
    const auto ratio = [&](const std::optional<double>& a,
                           const std::optional<double>& b) {
      return a.has_value() && b.has_value() ? absl::StrFormat("%.2f", *a / *b)
                                            : std::string("-");
    };
    absl::StrAppendFormat(&table, "engine / %s: %s at 0.95, %s at 0.99\n",
                          std::string(results[i].contestant->name()),
                          ratio(results[0].qps_at_095, results[i].qps_at_095),
                          ratio(results[0].qps_at_099, results[i].qps_at_099));
  }
  absl::StrAppendFormat(&table, "\n%-14s %7s %8s %9s %7s\n", "", "effort",
                        "recall", "QPS", "passes");
  for (const AnnResult& result : results) {
    for (const AnnPoint& point : result.curve) {
      absl::StrAppendFormat(
          &table, "%-14s %7g %8.4f %9.0f %7d\n",
          std::string(result.contestant->name()),
          point.effort.ef == 0 ? point.effort.recall_target : point.effort.ef,
          point.recall, point.qps, point.pass_qps.size());
    }
  }
  return table;
}

absl::Status WriteAnnPlot(const AnnDataset& dataset,
                          const std::vector<AnnResult>& results,
                          const std::string& folder) {
  constexpr double kRecallLow = 0.8;
  Plot plot;
  plot.title = "Queries a second on one core over recall@10";
  plot.subtitle = absl::StrFormat("%s, %d x %d", dataset.name, dataset.rows,
                                  dataset.dimension);
  double low = 1e12;
  double high = 0;
  for (const AnnResult& result : results) {
    PlotLine& line = plot.lines.emplace_back(
        PlotLine{std::string(result.contestant->name()), {}});
    for (const AnnPoint& point : result.curve) {
      if (point.recall >= kRecallLow) {
        line.points.emplace_back(point.recall, point.qps);
        low = std::min(low, point.qps);
        high = std::max(high, point.qps);
      }
    }
  }
  if (high == 0) {
    return absl::FailedPreconditionError(
        "nothing to plot: no point reaches a recall of 0.8");
  }
  plot.x = {"recall@10", kRecallLow, 1, false, {0.8, 0.85, 0.9, 0.95, 0.99}};
  plot.y = {"queries/s (log)", low / 1.2, high * 1.2, true, {}};
  plot.y.ticks = LogarithmicTicks(plot.y.low, plot.y.high);
  return WriteSvg(plot, absl::StrCat(folder, "/recall-", dataset.name, ".svg"));
}

}  // namespace sextant
