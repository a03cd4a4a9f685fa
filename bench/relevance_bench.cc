// SPDX-License-Identifier: Apache-2.0
// What a Cosine Adapter is worth beside one threshold for plain cosines: on
// labelled queries, fitted to one half of them and judged on the other. See
// docs/how-to/benchmark.md.
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "bench/json_option.h"
#include "bench/svg_plot.h"
#include "ranking/relevance/adapter_training.h"
#include "ranking/relevance/operating_point.h"
#include "tests/recall/labelled_pairs.h"

namespace sextant {
namespace {

constexpr double kRecall = 0.95;

struct Options {
  std::string data = "../shared/data";
  std::vector<std::string> sets = {"bitext-de", "bitext-ru", "flickr8k",
                                   "cranfield"};
  std::string family = "power";
  uint32_t hidden = TrainingOptions().hidden;
  // Random halves.
  uint32_t rounds = 10;
  std::string plots;
  JsonOption json;
};

// Mean and deviation over rounds.
class Figure {
 public:
  void Add(double value) { values_.push_back(value); }
  double mean() const {
    double sum = 0;
    for (const double value : values_) {
      sum += value;
    }
    return sum / static_cast<double>(values_.size());
  }
  double deviation() const {
    double sum = 0;
    for (const double value : values_) {
      sum += (value - mean()) * (value - mean());
    }
    return std::sqrt(sum / static_cast<double>(values_.size()));
  }
  std::string Percent() const {
    return absl::StrFormat("%.1f +- %.1f", 100 * mean(), 100 * deviation());
  }
  nlohmann::json Json() const {
    return {{"mean", mean()}, {"deviation", deviation()}};
  }

 private:
  std::vector<double> values_;
};

// One way to score pairs, over all rounds.
struct Way {
  Figure average_precision;
  // Where the other half's recall is 0.95.
  Figure precision;
  // Of the threshold that was chosen for it on what the fit held out.
  Figure chosen_recall;
  Figure chosen_precision;

  void Add(const PrecisionRecallCurve& held_out,
           const PrecisionRecallCurve& fresh) {
    average_precision.Add(fresh.AveragePrecision());
    precision.Add(fresh.ForRecall(kRecall)->precision);
    const OperatingPoint chosen =
        fresh.At(held_out.ForRecall(kRecall)->threshold);
    chosen_recall.Add(chosen.recall);
    chosen_precision.Add(chosen.precision);
  }
  nlohmann::json Json() const {
    return {{"average_precision", average_precision.Json()},
            {"precision_at_recall_095", precision.Json()},
            {"chosen_recall", chosen_recall.Json()},
            {"chosen_precision", chosen_precision.Json()}};
  }
};

PlotLine LineOf(const std::string& name, const PrecisionRecallCurve& curve) {
  PlotLine line{name, {}};
  for (int percent = 10; percent <= 99; ++percent) {
    const double recall = percent / 100.0;
    line.points.emplace_back(recall, curve.ForRecall(recall)->precision);
  }
  return line;
}

absl::Status WritePlot(const Options& options, const std::string& set,
                       const PrecisionRecallCurve& cosines,
                       const PrecisionRecallCurve& adapted) {
  Plot plot;
  plot.title = "Precision over recall of one threshold for all queries";
  plot.subtitle = absl::StrCat(set, ", queries that the fit did not see");
  plot.x = {"recall", 0.1, 1, false, {0.2, 0.4, 0.6, 0.8, 0.95}};
  plot.y = {"precision", 0, 1, false, {0, 0.2, 0.4, 0.6, 0.8, 1}};
  plot.lines = {LineOf("plain cosine", cosines),
                LineOf("cosine adapter", adapted)};
  return WriteSvg(plot,
                  absl::StrCat(options.plots, "/relevance-", set, ".svg"));
}

absl::Status RunSet(const Options& options, AdapterFamily family,
                    const std::string& set, nlohmann::json* json) {
  ASSIGN_OR_RETURN(const LabelledQueries all,
                   ReadLabelledQueries(options.data, set));
  Way by_cosine;
  Way by_adapter;
  Figure epochs;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    const LabelledQueries mixed = all.Shuffled(round + 1);
    const LabelledQueries fresh = mixed.Part(1, 2);
    const LabelledQueries labelled = mixed.Part(0, 2);
    const LabelledQueries held_out = labelled.Part(0, 3);
    const LabelledQueries training = labelled.Without(0, 3);
    ASSIGN_OR_RETURN(
        const TrainedAdapter trained,
        TrainAdapter(
            training.training_set(),
            {.family = family, .hidden = options.hidden, .seed = round + 1},
            RequestContext()));
    const PrecisionRecallCurve cosines(fresh.Cosines());
    const PrecisionRecallCurve adapted(fresh.Logits(family, trained.mlp));
    by_cosine.Add(PrecisionRecallCurve(held_out.Cosines()), cosines);
    by_adapter.Add(PrecisionRecallCurve(held_out.Logits(family, trained.mlp)),
                   adapted);
    epochs.Add(trained.epochs);
    if (round == 0 && !options.plots.empty()) {
      RETURN_IF_ERROR(WritePlot(options, set, cosines, adapted));
    }
  }
  std::FILE* const out = options.json.table();
  const std::pair<const char*, const Way*> ways[] = {{"cosine", &by_cosine},
                                                     {"adapter", &by_adapter}};
  for (const auto& [name, way] : ways) {
    absl::FPrintF(out, "%-10s %-8s %-14s %-14s %-14s %-14s\n", set, name,
                  way->average_precision.Percent(), way->precision.Percent(),
                  way->chosen_recall.Percent(),
                  way->chosen_precision.Percent());
  }
  (*json)[set] = {
      {"queries", all.queries.rows}, {"pairs", all.pairs.size()},
      {"rounds", options.rounds},    {"epochs", epochs.Json()},
      {"cosine", by_cosine.Json()},  {"adapter", by_adapter.Json()}};
  return absl::OkStatus();
}

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const AdapterFamily family, AdapterFamilyOf(options.family));
  absl::FPrintF(options.json.table(), "%-10s %-8s %-14s %-14s %-14s %-14s\n",
                "set", "by", "AP %", "P at R95 %", "chosen: R %",
                "chosen: P %");
  nlohmann::json json;
  for (const std::string& set : options.sets) {
    RETURN_IF_ERROR(RunSet(options, family, set, &json));
  }
  return options.json.Write(json.dump(2) + "\n")
             ? absl::OkStatus()
             : absl::UnavailableError(
                   absl::StrCat("cannot write ", options.json.file()));
}

constexpr char kExamples[] = R"(
examples:
  ./dev bench relevance --json relevance.json
  ./dev bench relevance --sets bitext-de --family linear --plots docs/images
)";

int Main(int argc, char** argv) {
  CLI::App app("Cosine adapters beside plain cosines, on labelled queries");
  app.footer(kExamples);
  Options options;
  app.add_option("--data", options.data, "Folder of the data sets")
      ->capture_default_str();
  app.add_option("--sets", options.sets,
                 "Of bitext-de, bitext-ru, flickr8k, cranfield")
      ->delimiter(',');
  app.add_option("--family", options.family, "Of the adapter")
      ->capture_default_str();
  app.add_option("--hidden", options.hidden, "Units of the hidden layer")
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "Random halves")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--plots", options.plots, "Folder for plots");
  options.json.AddTo(app);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Run(options);
  if (!status.ok()) {
    absl::FPrintF(stderr, "relevance_bench: %s\n", status.ToString());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  return sextant::Main(argc, argv);
}
