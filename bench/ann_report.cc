// SPDX-License-Identifier: Apache-2.0
#include "bench/ann_report.h"

#include <cstdlib>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "bench/processor.h"
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
    curve.push_back({{"ef", point.ef},
                     {"recall", point.recall},
                     {"qps", point.qps},
                     {"passes", point.pass_qps.size()}});
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
  absl::StrAppendFormat(&table, "\n%-14s %6s %8s %9s %7s\n", "", "ef", "recall",
                        "QPS", "passes");
  for (const AnnResult& result : results) {
    for (const AnnPoint& point : result.curve) {
      absl::StrAppendFormat(&table, "%-14s %6d %8.4f %9.0f %7d\n",
                            std::string(result.contestant->name()), point.ef,
                            point.recall, point.qps, point.pass_qps.size());
    }
  }
  return table;
}

}  // namespace sextant
