// SPDX-License-Identifier: Apache-2.0
// Measures a real sextantd through gRPC: searches, ingest, restart. See
// docs/how-to/benchmark.md.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"

#include "base/status_macros.h"
#include "bench/ann_measure.h"
#include "bench/json_option.h"
#include "bench/processor.h"
#include "bench/server_data.h"
#include "bench/server_disk.h"
#include "bench/server_echo.h"
#include "bench/server_report.h"
#include "bench/server_search.h"
#include "bench/synthetic_dataset.h"

namespace sextant {
namespace {

struct Options {
  std::string data = "../shared/data/glove-100d";
  JsonOption json;
  std::string plot_folder;
  bool quick = false;
  bool fresh = false;
  bool pin = true;
  std::string network = "tcp";
  std::vector<std::string> parts = {"search", "ingest", "restart"};
  int restarts = 5;
  int ingest_rounds = 3;
  IngestResult ingest = {.chunk = 1'000};
  SearchSettings search;

  bool wants(const char* part) const {
    return std::find(parts.begin(), parts.end(), part) != parts.end();
  }
};

constexpr char kExamples[] = R"(
The server runs on one processor, the load comes from another. The first run
loads the set into a server and builds the indexes it is compared with; they are
kept in the cache folder.

examples:
  ./dev bench server
  ./dev bench server --quick --json
  ./dev bench server --parts search --plot docs/images
  ./dev bench server --parts search --network unix --connections 1
  ./dev bench server --data synthetic --parts ingest restart
)";

void AddOptions(CLI::App& app, Options& options) {
  SearchSettings& search = options.search;
  search.cache_folder = "build/bench-cache";
  search.python = "/usr/bin/python3";
  app.footer(kExamples);
  app.add_option("--data", options.data,
                 "folder of the data set, or \"synthetic\"")
      ->check(CLI::ExistingDirectory | CLI::IsMember({kSynthetic}))
      ->capture_default_str();
  app.add_option("--parts", options.parts, "what to measure")
      ->check(CLI::IsMember({"search", "ingest", "restart"}))
      ->capture_default_str();
  options.json.AddTo(app);
  app.add_option("--plot", options.plot_folder, "write SVG plots here");
  app.add_flag("--quick", options.quick,
               "500 queries, short runs, few rounds, 50,000 rows of ingest");
  app.add_option("--recall", search.recall, "recall@10 to compare at")
      ->check(CLI::Range(0.5, 0.999))
      ->capture_default_str();
  app.add_option("--rounds", search.rounds, "of searches, in turn")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--seconds", search.seconds, "of each run of searches")
      ->check(CLI::Range(0.2, 60.0))
      ->capture_default_str();
  app.add_option("--connections", search.connections, "of the load")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--outstanding", search.outstanding,
                 "searches in flight in the closed loop")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--loads", search.loads,
                 "open loop: shares of the closed loop's QPS")
      ->check(CLI::Range(0.01, 2.0))
      ->capture_default_str();
  app.add_option("--write-rate", search.write_points_per_s,
                 "points a second that are written beside searches")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  app.add_option("--network", options.network, "how the server is reached")
      ->check(CLI::IsMember({"tcp", "unix"}))
      ->capture_default_str();
  app.add_option("--python", search.python,
                 "interpreter for a line about a Python client, which needs "
                 "python3-grpcio and python3-protobuf; '' leaves it out")
      ->capture_default_str();
  app.add_option("--ingest-rows", options.ingest.rows, "0: the whole set")
      ->capture_default_str();
  app.add_option("--chunk", options.ingest.chunk,
                 "points a streamed message, rows a fsynced batch")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--ingest-rounds", options.ingest_rounds, "of ingest")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--restarts", options.restarts, "kills and starts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--cache", search.cache_folder,
                 "where indexes and data directories go")
      ->capture_default_str();
  app.add_flag("--fresh", options.fresh,
               "load the set and build this server's index again");
  app.add_flag("!--no-pin", options.pin, "pin neither server nor load");
}

// Whatever was not said on the command line gets short.
void MakeQuick(const CLI::App& app, Options& options) {
  const auto shorten = [&app](const char* option, auto& value, auto quick) {
    if (app.count(option) == 0) {
      value = quick;
    }
  };
  shorten("--rounds", options.search.rounds, 2);
  shorten("--seconds", options.search.seconds, 0.8);
  shorten("--loads", options.search.loads, std::vector<double>{0.5, 0.8});
  shorten("--ingest-rows", options.ingest.rows, 50'000U);
  shorten("--ingest-rounds", options.ingest_rounds, 2);
  shorten("--restarts", options.restarts, 2);
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "server_bench: %s\n", status.ToString().c_str());
  return 1;
}

absl::StatusOr<SearchFigures> RunSearch(const Options& options,
                                        const AnnDataset& dataset) {
  AnnSettings settings;
  settings.cache_folder = options.search.cache_folder;
  AnnResult hnswlib;
  hnswlib.contestant = NewHnswlibContestant();
  RETURN_IF_ERROR(PrepareAnn(dataset, settings, hnswlib));
  return MeasureSearches(dataset, options.search, *hnswlib.contestant);
}

absl::StatusOr<ServerReport> Measure(Options& options,
                                     const AnnDataset& dataset) {
  SearchSettings& search = options.search;
  ServerReport report;
  if (options.wants("search") || options.wants("restart")) {
    ASSIGN_OR_RETURN(
        search.data_folder,
        PrepareServerData(dataset, search.cache_folder, options.fresh));
  }
  if (options.wants("ingest")) {
    ASSIGN_OR_RETURN(report.ingest,
                     MeasureIngest(dataset, search.cache_folder, options.ingest,
                                   options.ingest_rounds));
  }
  if (options.wants("restart")) {
    ASSIGN_OR_RETURN(report.restart,
                     MeasureRestart(dataset, search.cache_folder,
                                    search.data_folder, options.restarts));
  }
  // Last: it pins this process.
  if (options.wants("search")) {
    ASSIGN_OR_RETURN(report.search, RunSearch(options, dataset));
  }
  return report;
}

int Run(Options& options) {
  absl::StatusOr<AnnDataset> dataset =
      ReadDataset({.data = options.data,
                   .cache_folder = options.search.cache_folder,
                   .k = options.search.k});
  if (!dataset.ok()) {
    return Fail(dataset.status());
  }
  if (options.quick) {
    constexpr uint32_t kQuickQueries = 500;
    dataset->queries = std::min(dataset->queries, kQuickQueries);
  }
  const absl::StatusOr<ServerReport> report = Measure(options, *dataset);
  if (!report.ok()) {
    return Fail(report.status());
  }
  std::fputs(ServerTable(*dataset, options.search, *report).c_str(),
             options.json.table());
  if (!options.plot_folder.empty() && report->search.has_value()) {
    const absl::Status status =
        WriteServerPlots(*dataset, *report->search, options.plot_folder);
    if (!status.ok()) {
      return Fail(status);
    }
  }
  if (!options.json.Write(ServerJson(*dataset, options.search, *report))) {
    return Fail(absl::InternalError("cannot write " + options.json.file()));
  }
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], sextant::kEchoArgument) == 0) {
    return sextant::RunEcho();
  }
  CLI::App app{"Measures a sextantd through gRPC.", "server_bench"};
  sextant::Options options;
  sextant::AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  if (options.quick) {
    sextant::MakeQuick(app, options);
  }
  options.search.unix_socket = options.network == "unix";
  if (options.pin) {
    options.search.server_cpu = sextant::LastProcessor();
    options.search.client_cpu = sextant::FirstProcessor();
  }
  return sextant::Run(options);
}
