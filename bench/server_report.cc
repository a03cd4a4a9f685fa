// SPDX-License-Identifier: Apache-2.0
#include "bench/server_report.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "bench/processor.h"
#include "bench/svg_plot.h"

namespace sextant {
namespace {

double MedianOf(const std::vector<IngestRun>& runs, double IngestRun::*value) {
  std::vector<double> values;
  for (const IngestRun& run : runs) {
    values.push_back(run.*value);
  }
  return Median(values);
}

nlohmann::json LoadJson(const LoadRuns& load) {
  nlohmann::json json = {
      {"qps", load.searches_per_s()},      {"p50_ms", load.PercentileMs(50)},
      {"p95_ms", load.PercentileMs(95)},   {"p99_ms", load.PercentileMs(99)},
      {"server_cpu_us", load.server_us()}, {"recall", load.recall()},
      {"errors", load.errors()},           {"runs", load.runs.size()}};
  if (load.offered_per_s > 0) {
    json["offered_qps"] = load.offered_per_s;
  } else {
    json["client_cpu_us"] = load.client_us();
  }
  return json;
}

nlohmann::json ByName(const std::vector<LoadRuns>& loads) {
  nlohmann::json json = nlohmann::json::object();
  for (const LoadRuns& load : loads) {
    json[load.name] = LoadJson(load);
  }
  return json;
}

nlohmann::json InProcessJson(const InProcess& index) {
  const double qps = Median(index.qps);
  nlohmann::json json = {
      {"recall", index.recall}, {"qps", qps}, {"cpu_us", 1e6 / qps}};
  if (index.effort.ef != 0) {
    json["ef"] = index.effort.ef;
  } else {
    json["recall_target"] = index.effort.recall_target;
  }
  return json;
}

nlohmann::json PythonJson(const SearchFigures& figures) {
  return nlohmann::json::parse(figures.python_json, nullptr, false);
}

nlohmann::json SearchJson(const SearchFigures& figures) {
  nlohmann::json open_loop = nlohmann::json::array();
  for (const LoadRuns& load : figures.open_loop) {
    open_loop.push_back(LoadJson(load));
  }
  nlohmann::json ratios = nlohmann::json::object();
  for (const LoadRuns& load : figures.idle) {
    ratios[load.name + "_to_hnswlib"] = figures.RatioToHnswlib(load);
    ratios[load.name + "_cpu_to_hnswlib"] = figures.CpuRatioToHnswlib(load);
  }
  ratios["unary_cpu_above_engine_to_echo"] = figures.OverheadTo(figures.echo);
  ratios["unary_cpu_above_engine_to_echo_at_rate"] =
      figures.OverheadTo(figures.echo_at_rate);
  nlohmann::json echo = LoadJson(figures.echo);
  echo.erase("recall");
  echo["request_bytes"] = figures.request_bytes;
  echo["answer_bytes"] = figures.answer_bytes;
  nlohmann::json writing = ByName(figures.writing);
  writing["points_per_s"] = figures.written_per_s;
  nlohmann::json json = {
      {"recall_target", figures.recall_target},
      {"rss_mb", figures.server_mb},
      {"hnswlib", InProcessJson(figures.hnswlib)},
      {"engine", InProcessJson(figures.engine)},
      {"idle", ByName(figures.idle)},
      {"open_loop", open_loop},
      {"writing", writing},
      {"echo", echo},
      {"echo_at_rate_cpu_us", figures.echo_at_rate.server_us()},
      {"ratios", ratios}};
  if (!figures.python_json.empty()) {
    json["python"] = PythonJson(figures);
  }
  return json;
}

void AppendLoad(std::string& table, const std::string& name,
                const LoadRuns& load) {
  absl::StrAppendFormat(
      &table, "%-18s %9.0f %8.2f %8.2f %8.2f %9.1f %9s %8.4f%s\n", name,
      load.searches_per_s(), load.PercentileMs(50), load.PercentileMs(95),
      load.PercentileMs(99), load.server_us(),
      load.offered_per_s > 0 ? "" : absl::StrFormat("%.1f", load.client_us()),
      load.recall(),
      load.errors() == 0 ? ""
                         : absl::StrFormat("  %d errors: %s", load.errors(),
                                           load.runs[0].first_error));
}

void AppendSearch(std::string& table, const SearchFigures& figures) {
  absl::StrAppendFormat(&table, "%-18s %9s %8s %8s %8s %9s %9s %8s\n", "",
                        "QPS", "p50 ms", "p95 ms", "p99 ms", "server us",
                        "client us", "recall");
  for (const LoadRuns& load : figures.idle) {
    AppendLoad(table, load.name, load);
  }
  for (const LoadRuns& load : figures.open_loop) {
    AppendLoad(table, absl::StrFormat("open, %.0f/s", load.offered_per_s),
               load);
  }
  for (const LoadRuns& load : figures.writing) {
    AppendLoad(table, absl::StrCat("writing, ", load.name), load);
  }
  absl::StrAppendFormat(
      &table, "%-18s %9.0f %8.2f %8.2f %8.2f %9.1f %9.1f\n", "echo",
      figures.echo.searches_per_s(), figures.echo.PercentileMs(50),
      figures.echo.PercentileMs(95), figures.echo.PercentileMs(99),
      figures.echo.server_us(), figures.echo.client_us());
  for (const auto& [name, index] :
       {std::pair("hnswlib, in process", &figures.hnswlib),
        std::pair("engine, in process", &figures.engine)}) {
    const double qps = Median(index->qps);
    absl::StrAppendFormat(
        &table, "%-18s %8.0f %36.1f %18.4f  effort %g\n", name, qps, 1e6 / qps,
        index->recall,
        index->effort.ef == 0 ? index->effort.recall_target : index->effort.ef);
  }
  absl::StrAppendFormat(
      &table,
      "\nserver: recall target %g, %.0f MB; while writing %.0f points/s were "
      "acknowledged\nmessages: %d bytes asked, %d answered\n",
      figures.recall_target, figures.server_mb, figures.written_per_s,
      figures.request_bytes, figures.answer_bytes);
  for (const LoadRuns& load : figures.idle) {
    absl::StrAppendFormat(
        &table, "%s QPS / hnswlib: %.2f (by processor time %.2f)\n", load.name,
        figures.RatioToHnswlib(load), figures.CpuRatioToHnswlib(load));
  }
  absl::StrAppendFormat(
      &table,
      "server CPU of a unary search above the engine's / echo: %.2f; / echo at "
      "the same rate (%.1f us): %.2f\n",
      figures.OverheadTo(figures.echo), figures.echo_at_rate.server_us(),
      figures.OverheadTo(figures.echo_at_rate));
  if (!figures.python_json.empty()) {
    absl::StrAppend(&table,
                    "Python, one call at a time: ", PythonJson(figures).dump(),
                    "\n");
  }
}

}  // namespace

std::string ServerJson(const AnnDataset& dataset,
                       const SearchSettings& settings,
                       const ServerReport& report) {
  double load[1] = {0};
  (void)getloadavg(load, 1);
  nlohmann::json json = {{"dataset",
                          {{"name", dataset.name},
                           {"rows", dataset.rows},
                           {"dimension", dataset.dimension},
                           {"queries", dataset.queries}}},
                         {"settings",
                          {{"k", settings.k},
                           {"recall", settings.recall},
                           {"connections", settings.connections},
                           {"outstanding", settings.outstanding},
                           {"rounds", settings.rounds},
                           {"seconds", settings.seconds},
                           {"network", settings.unix_socket ? "unix" : "tcp"},
                           {"server_cpu", settings.server_cpu},
                           {"client_cpu", settings.client_cpu}}},
                         {"machine",
                          {{"processor", ProcessorName()},
                           {"processors", std::thread::hardware_concurrency()},
                           {"load_average", load[0]},
                           {"compiler", __VERSION__}}}};
  if (report.search.has_value()) {
    json["search"] = SearchJson(*report.search);
  }
  if (report.ingest.has_value()) {
    const IngestResult& ingest = *report.ingest;
    json["ingest"] = {
        {"rows", ingest.rows},
        {"chunk", ingest.chunk},
        {"bytes", ingest.bytes},
        {"server_s", MedianOf(ingest.server, &IngestRun::wall_s)},
        {"server_cpu_s", MedianOf(ingest.server, &IngestRun::server_cpu_s)},
        {"client_cpu_s", MedianOf(ingest.server, &IngestRun::cpu_s)},
        {"rocksdb_s", MedianOf(ingest.rocksdb, &IngestRun::wall_s)},
        {"rocksdb_cpu_s", MedianOf(ingest.rocksdb, &IngestRun::cpu_s)},
        {"ratio", ingest.ratio()}};
  }
  if (report.restart.has_value()) {
    json["restart"] = {{"first_answer_s", Median(report.restart->seconds)},
                       {"rounds", report.restart->seconds},
                       {"rebuilt", report.restart->rebuilt}};
  }
  return json.dump(2) + "\n";
}

std::string ServerTable(const AnnDataset& dataset,
                        const SearchSettings& settings,
                        const ServerReport& report) {
  std::string table = absl::StrFormat(
      "%s: %d rows, %d dimensions; recall@%d %.2f; %s, %d connections, %d "
      "searches in flight\n\n",
      dataset.name, dataset.rows, dataset.dimension, settings.k,
      settings.recall, settings.unix_socket ? "Unix socket" : "TCP",
      settings.connections, settings.outstanding);
  if (report.search.has_value()) {
    AppendSearch(table, *report.search);
  }
  if (report.ingest.has_value()) {
    const IngestResult& ingest = *report.ingest;
    const double server_s = MedianOf(ingest.server, &IngestRun::wall_s);
    absl::StrAppendFormat(
        &table,
        "ingest: %d rows in %.2f s (%.0f rows/s), RocksDB alone %.2f s; ratio "
        "%.2f\n",
        ingest.rows, server_s, ingest.rows / server_s,
        MedianOf(ingest.rocksdb, &IngestRun::wall_s), ingest.ratio());
  }
  if (report.restart.has_value()) {
    absl::StrAppendFormat(
        &table,
        "restart: first correct answer after %.3f s (slowest %.3f), %s\n",
        Median(report.restart->seconds),
        *std::max_element(report.restart->seconds.begin(),
                          report.restart->seconds.end()),
        report.restart->rebuilt ? "something was rebuilt" : "no rebuild");
  }
  return table;
}

absl::Status WriteServerPlots(const AnnDataset& dataset,
                              const SearchFigures& figures,
                              const std::string& folder) {
  Plot plot;
  plot.title = "Latency of a search over gRPC";
  plot.subtitle = absl::StrFormat("%s, recall@10 %.3f, one core", dataset.name,
                                  figures.idle[0].recall());
  double low = 1e9;
  double high = 0;
  double most = 0;
  for (const auto& [name, percent] :
       {std::pair("p50", 50.0), std::pair("p95", 95.0),
        std::pair("p99", 99.0)}) {
    PlotLine& line = plot.lines.emplace_back(PlotLine{name, {}});
    for (const LoadRuns& load : figures.open_loop) {
      const double ms = load.PercentileMs(percent);
      line.points.emplace_back(load.offered_per_s, ms);
      low = std::min(low, ms);
      high = std::max(high, ms);
      most = std::max(most, load.offered_per_s);
    }
  }
  plot.y = {"ms (log)", low / 1.2, high * 1.2, true, {}};
  plot.y.ticks = LogarithmicTicks(plot.y.low, plot.y.high);
  const double step = std::pow(10, std::floor(std::log10(most)));
  plot.x = {"searches a second, arriving at random", 0, most * 1.05, false, {}};
  for (int i = 0; i * step / 2 < plot.x.high; ++i) {
    plot.x.ticks.push_back(i * step / 2);
  }
  return WriteSvg(plot,
                  absl::StrCat(folder, "/latency-", dataset.name, ".svg"));
}

}  // namespace sextant
