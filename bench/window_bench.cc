// SPDX-License-Identifier: Apache-2.0
// Searches among the rows whose attribute lies in a window, after the protocol
// of Engels et al. (ICML 2024, arXiv 2402.00943): windows of 2^0 to 2^-16 of
// the rows, uniformly placed, k = 10. See docs/how-to/benchmark.md.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

#include "bench/json_option.h"
#include "bench/processor.h"
#include "bench/window_measure.h"
#include "bench/window_report.h"

namespace sextant {
namespace {

struct Options {
  std::vector<std::string> sets = {"glove-rank", "glove-permutation",
                                   "debian-size", "synthetic", "adversarial"};
  WindowSource source = {.glove_folder = "../shared/data/glove-100d",
                         .debian_folder = "../shared/data/debian-packages",
                         .cache_folder = "build/bench-cache"};
  JsonOption json;
  bool quick = false;
  bool pin = true;
  std::string plot_folder;
  WindowSettings settings;
};

constexpr char kExamples[] = R"(
examples:
  ./dev bench window --quick --json
  ./dev bench window --sets glove-rank glove-permutation --plot docs/images
  ./dev bench window --sets synthetic --method scan --no-postfilter
)";

void AddOptions(CLI::App& app, Options& options) {
  WindowSettings& settings = options.settings;
  app.footer(kExamples);
  app.add_option("--sets", options.sets, "which data (default: all)")
      ->check(CLI::IsMember({"glove-rank", "glove-permutation", "debian-size",
                             "synthetic", "adversarial"}));
  app.add_option("--glove", options.source.glove_folder, "its folder")
      ->capture_default_str();
  app.add_option("--debian", options.source.debian_folder, "its folder")
      ->capture_default_str();
  options.json.AddTo(app);
  app.add_option("--plot", options.plot_folder, "write an SVG plot a set here");
  app.add_flag("--quick", options.quick, "every second width");
  app.add_option("--queries", settings.queries, "for each width")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--narrowest", settings.narrowest,
                 "windows down to 2^-N of the rows")
      ->check(CLI::Range(0, 24))
      ->capture_default_str();
  app.add_option("--bits", settings.bits, "of the window's codes")
      ->check(CLI::IsMember({4, 8}))
      ->capture_default_str();
  app.add_option("--recall-target", settings.recall_target)
      ->check(CLI::Range(0.5, 1.0))
      ->capture_default_str();
  const std::map<std::string, WindowMethodWanted> methods = {
      {"planned", WindowMethodWanted::kPlanned},
      {"scan", WindowMethodWanted::kScan},
      {"graph", WindowMethodWanted::kGraph}};
  app.add_option("--method", settings.method, "how the engine searches")
      ->transform(CLI::CheckedTransformer(methods));
  app.add_flag("!--no-postfilter", settings.with_postfilter,
               "leave HNSWlib out, which takes most of the time");
  app.add_option("--cache", options.source.cache_folder,
                 "where built indexes go")
      ->capture_default_str();
  app.add_option("--threads", options.source.threads, "threads that build")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_flag("!--no-pin", options.pin,
               "do not pin the searching thread to a processor");
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "window_bench: %s\n", status.ToString().c_str());
  return 1;
}

int Run(Options options) {
  WindowSettings& settings = options.settings;
  settings.ann.cache_folder = options.source.cache_folder;
  settings.ann.build.threads = options.source.threads;
  settings.ann.cpu = options.pin ? LastProcessor() : -1;
  settings.step = options.quick ? 2 : 1;
  std::vector<WindowResult> results;
  for (const std::string& name : options.sets) {
    const absl::StatusOr<WindowSet> set = LoadWindowSet(name, options.source);
    if (!set.ok()) {
      return Fail(set.status());
    }
    absl::StatusOr<WindowResult> result = MeasureWindows(*set, settings);
    if (!result.ok()) {
      return Fail(result.status());
    }
    std::fputs(WindowTable(*result).c_str(), options.json.table());
    if (!options.plot_folder.empty()) {
      const absl::Status status = WriteWindowPlot(*result, options.plot_folder);
      if (!status.ok()) {
        return Fail(status);
      }
    }
    results.push_back(*std::move(result));
  }
  if (!options.json.Write(WindowJson(results))) {
    std::fprintf(stderr, "window_bench: cannot write %s\n",
                 options.json.file().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  CLI::App app{"Searches in windows of an attribute, beside naive plans.",
               "window_bench"};
  sextant::Options options;
  sextant::AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  return sextant::Run(std::move(options));
}
