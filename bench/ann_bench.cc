// SPDX-License-Identifier: Apache-2.0
// Compares this server's index with HNSWlib and Faiss: same data, same
// parameters, one run. See docs/how-to/benchmark.md.
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"

#include "bench/ann_measure.h"
#include "bench/ann_report.h"
#include "bench/json_option.h"
#include "bench/processor.h"
#include "bench/synthetic_dataset.h"

namespace sextant {
namespace {

struct Options {
  std::string data;
  JsonOption json;
  std::string plot_folder;
  uint32_t max_rows = 0;
  bool pin = true;
  std::vector<std::string> engines = {"engine", "hnswlib", "faiss_hnsw",
                                      "faiss_hnsw_sq8"};
  AnnSettings settings;
};

constexpr char kExamples[] = R"(
DIR holds base.npy, queries.npy and gt_scores.npy: unit vectors, compared by
inner product. "synthetic" is a set that the benchmark makes itself, once:
1,000,000 x 128, clusters on curved surfaces of about 20 dimensions.

examples:
  ./dev bench ann --data ../shared/data/glove-100d
  ./dev bench ann --data ../shared/data/debian-packages --quick --json
  ./dev bench ann --data synthetic
  ./dev bench ann --data DIR --json result.json --ef 50 100 200 400
  ./dev bench ann --data DIR --rows 4000 --engines engine
)";

void AddOptions(CLI::App& app, Options& options) {
  AnnSettings& settings = options.settings;
  settings.cache_folder = "build/bench-cache";
  app.footer(kExamples);
  app.add_option("--data", options.data,
                 "folder of the data set, or \"synthetic\"")
      ->required()
      ->check(CLI::ExistingDirectory | CLI::IsMember({kSynthetic}));
  options.json.AddTo(app);
  app.add_option("--plot", options.plot_folder, "write an SVG plot here");
  app.add_flag("--quick", settings.quick,
               "500 queries, half the widths, few repeats: under 50 s");
  app.add_option("--ef", settings.efs, "beam widths (default: chosen)")
      ->check(CLI::Range(1, 10000));
  app.add_option("--k", settings.k, "neighbours asked for")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--rows", options.max_rows,
                 "use only the first N rows (exact answers are computed)");
  app.add_option("--m", settings.build.m, "HNSW M")
      ->check(CLI::Range(2, 512))
      ->capture_default_str();
  app.add_option("--ef-construction", settings.build.ef_construction,
                 "HNSW beam width while building")
      ->capture_default_str();
  app.add_option("--threads", settings.build.threads,
                 "threads that build; searches use one")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--engines", options.engines, "which take part")
      ->check(CLI::IsMember({"engine", "engine_mapped", "hnswlib", "faiss_hnsw",
                             "faiss_hnsw_sq8"}));
  app.add_option("--seconds", settings.measure_s,
                 "how long to repeat passes (default: 90, quick 15)");
  app.add_option("--cache", settings.cache_folder, "where built indexes go")
      ->capture_default_str();
  app.add_flag("--rebuild", settings.rebuild, "build even what is cached");
  app.add_flag("!--no-pin", options.pin,
               "do not pin the searching thread to a processor");
}

std::vector<AnnResult> Contestants(const Options& options) {
  std::vector<AnnResult> results;
  for (const std::string& name : options.engines) {
    AnnResult result;
    result.contestant = name == "engine"          ? NewEngineContestant()
                        : name == "engine_mapped" ? NewMappedEngineContestant()
                        : name == "hnswlib"       ? NewHnswlibContestant()
                        : name == "faiss_hnsw"    ? NewFaissContestant()
                                                  : NewFaissSq8Contestant();
    if (result.contestant == nullptr) {
      std::fprintf(stderr, "%s: not in this build (libfaiss-dev); left out\n",
                   name.c_str());
      continue;
    }
    results.push_back(std::move(result));
  }
  return results;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "ann_bench: %s\n", status.ToString().c_str());
  return 1;
}

int Run(const Options& options) {
  const AnnSettings& settings = options.settings;
  absl::StatusOr<AnnDataset> dataset =
      ReadDataset({.data = options.data,
                   .cache_folder = settings.cache_folder,
                   .k = settings.k,
                   .max_rows = options.max_rows,
                   .threads = settings.build.threads});
  if (!dataset.ok()) {
    return Fail(dataset.status());
  }
  if (settings.quick) {
    constexpr uint32_t kQuickQueries = 500;
    dataset->queries = std::min(dataset->queries, kQuickQueries);
  }
  std::vector<AnnResult> results = Contestants(options);
  for (AnnResult& result : results) {
    const absl::Status status = PrepareAnn(*dataset, settings, result);
    if (!status.ok()) {
      return Fail(status);
    }
  }
  MeasureAnn(*dataset, settings, results);
  std::fputs(AnnTable(*dataset, results).c_str(), options.json.table());
  if (!options.plot_folder.empty()) {
    const absl::Status status =
        WriteAnnPlot(*dataset, results, options.plot_folder);
    if (!status.ok()) {
      return Fail(status);
    }
  }
  if (!options.json.Write(AnnJson(*dataset, settings, results))) {
    std::fprintf(stderr, "ann_bench: cannot write %s\n",
                 options.json.file().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  CLI::App app{"Builds, searches and compares vector indexes.", "ann_bench"};
  sextant::Options options;
  sextant::AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  if (options.settings.quick && app.count("--seconds") == 0) {
    options.settings.measure_s = 15;
  }
  options.settings.cpu = options.pin ? sextant::LastProcessor() : -1;
  return sextant::Run(options);
}
