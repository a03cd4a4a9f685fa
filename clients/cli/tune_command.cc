// SPDX-License-Identifier: Apache-2.0
// `sextant normalizer tune`.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/hubness_json.h"
#include "clients/cli/output.h"
#include "clients/cli/point_source.h"
#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

// What the server takes.
constexpr uint64_t kPairsMax = 10'000;

struct TuneOptions {
  std::string collection;
  SourceOptions pairs;
  uint64_t first = 0;
  uint64_t count = 0;
  client::TuneRequest request;
  std::string name = "tuned";
};

absl::StatusOr<std::vector<float>> QueryOf(client::Point point,
                                           const std::string& field,
                                           const PointSource& source) {
  auto vector = point.vectors.find(field);
  if (vector == point.vectors.end() && point.vectors.size() == 1) {
    vector = point.vectors.begin();
  }
  if (vector == point.vectors.end()) {
    return InputError(absl::InvalidArgumentError(absl::StrCat(
        source.where(), ": ", point.vectors.empty() ? "no" : "more than one",
        " vector; name one with --field")));
  }
  return std::move(vector->second);
}

absl::StatusOr<std::vector<client::LabelledPair>> ReadPairs(
    const TuneOptions& options) {
  absl::StatusOr<std::unique_ptr<PointSource>> source =
      OpenPointSource(options.pairs);
  if (!source.ok()) {
    return InputError(source.status());
  }
  RETURN_IF_ERROR(InputError((*source)->Skip(options.first)));
  std::vector<client::LabelledPair> pairs;
  while (options.count == 0 || pairs.size() < options.count) {
    client::Point point;
    const absl::StatusOr<bool> more = (*source)->Next(&point);
    if (!more.ok()) {
      return InputError(more.status());
    }
    if (!*more) {
      break;
    }
    if (pairs.size() == kPairsMax) {
      return InputError(absl::InvalidArgumentError(
          absl::StrCat(options.pairs.path, ": more than ", kPairsMax,
                       " pairs; take some with --first and --count")));
    }
    client::LabelledPair pair;
    pair.id = point.id;
    ASSIGN_OR_RETURN(
        pair.query, QueryOf(std::move(point), options.request.field, **source));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

// The options that make a method what it is, and their values.
std::vector<std::pair<std::string, std::string>> ParametersOf(
    const client::Normalizer& normalizer) {
  std::vector<std::pair<std::string, std::string>> parameters;
  const auto add = [&parameters](const char* name, const auto& value) {
    if (value.has_value()) {
      parameters.emplace_back(name, absl::StrCat(*value));
    }
  };
  const std::string& method = normalizer.method;
  if (absl::StrContains(method, "softmax")) {
    add("--beta", normalizer.beta);
    if (absl::StartsWith(method, "dual")) {
      add("--gallery-beta", normalizer.gallery_beta);
    }
    if (absl::StrContains(method, "dynamic")) {
      add("--gate-k", normalizer.gate_k);
    }
  } else if (absl::StrContains(method, "sinkhorn")) {
    add("--tau", normalizer.tau);
    add("--iterations", normalizer.iterations);
  } else {
    if (method == "nearest_neighbor") {
      add("--alpha", normalizer.alpha);
    }
    add("-k", normalizer.k);
  }
  return parameters;
}

// What makes the normaliser, for a shell. No part of it needs quotes: the
// server takes only names of letters, digits, "_" and "-".
std::string CommandOf(const TuneOptions& options,
                      const client::Normalizer& normalizer) {
  std::string command = absl::StrCat(
      "sextant normalizer put ", options.collection, " ", options.name,
      " --method ", normalizer.method, " --query-bank ", normalizer.query_bank);
  if (!normalizer.gallery_bank.empty()) {
    absl::StrAppend(&command, " --gallery-bank ", normalizer.gallery_bank);
  }
  if (!options.request.field.empty()) {
    absl::StrAppend(&command, " --field ", options.request.field);
  }
  for (const auto& [name, value] : ParametersOf(normalizer)) {
    absl::StrAppend(&command, " ", name, " ", value);
  }
  return command;
}

nlohmann::json ToJson(const client::RetrievalQuality& quality) {
  return {{"recall_at_1", quality.recall_at_1},
          {"recall_at_5", quality.recall_at_5},
          {"recall_at_10", quality.recall_at_10},
          {"mean_reciprocal_rank", quality.mean_reciprocal_rank}};
}

nlohmann::json ToJson(const client::Normalizer& normalizer) {
  nlohmann::json json = {{"method", normalizer.method},
                         {"query_bank", normalizer.query_bank},
                         {"gallery_bank", normalizer.gallery_bank}};
  for (const auto& [name, value] : ParametersOf(normalizer)) {
    std::string key = name.substr(name.find_first_not_of('-'));
    std::replace(key.begin(), key.end(), '-', '_');
    json[key] = nlohmann::json::parse(value);
  }
  return json;
}

absl::Status ShowJson(const TuneOptions& options,
                      const client::TuneReport& report) {
  nlohmann::json trials = nlohmann::json::array();
  for (const client::TuneTrial& trial : report.trials) {
    nlohmann::json one = ToJson(trial.normalizer);
    one["tuning"] = ToJson(trial.tuning);
    one["held_out"] = ToJson(trial.held_out);
    one["hubness"] = HubnessJson(trial.hubness);
    trials.push_back(std::move(one));
  }
  nlohmann::json all = {{"tuning_pairs", report.tuning_pairs},
                        {"held_out_pairs", report.held_out_pairs},
                        {"gallery_points", report.gallery_points},
                        {"collection_points", report.collection_points},
                        {"raw",
                         {{"tuning", ToJson(report.raw_tuning)},
                          {"held_out", ToJson(report.raw_held_out)},
                          {"hubness", HubnessJson(report.raw_hubness)}}},
                        {"trials", std::move(trials)},
                        {"recommended", nullptr},
                        {"command", nullptr},
                        {"gain", report.gain},
                        {"gain_error", report.gain_error},
                        {"reason", report.reason}};
  if (report.recommended.has_value()) {
    all["recommended"] = ToJson(*report.recommended);
    all["command"] = CommandOf(options, *report.recommended);
  }
  if (report.alignment.has_value()) {
    all["alignment"] = *report.alignment;
  }
  return PrintLine(all.dump());
}

std::vector<std::string> Cells(const std::string& method,
                               const std::string& parameters,
                               const client::RetrievalQuality& quality,
                               const client::Hubness& hubness) {
  return {method,
          parameters,
          absl::StrFormat("%.1f", 100 * quality.recall_at_1),
          absl::StrFormat("%.1f", 100 * quality.recall_at_5),
          absl::StrFormat("%.1f", 100 * quality.recall_at_10),
          absl::StrFormat("%.4f", quality.mean_reciprocal_rank),
          absl::StrFormat("%.2f", hubness.skewness),
          absl::StrFormat("%.3f", hubness.robin_hood),
          absl::StrFormat("%.1f", 100 * hubness.anti_hub_share)};
}

absl::Status Show(Session& session, const TuneOptions& options,
                  const client::TuneReport& report) {
  if (session.json()) {
    return ShowJson(options, report);
  }
  Table table({{"method"},
               {"parameters"},
               {"R@1 %", Align::kRight},
               {"R@5 %", Align::kRight},
               {"R@10 %", Align::kRight},
               {"MRR", Align::kRight},
               {"skewness", Align::kRight},
               {"robin hood", Align::kRight},
               {"anti-hubs %", Align::kRight}});
  table.AddRow(Cells("(none)", "", report.raw_held_out, report.raw_hubness));
  for (const client::TuneTrial& trial : report.trials) {
    const std::string parameters = absl::StrJoin(ParametersOf(trial.normalizer),
                                                 " ", absl::PairFormatter(" "));
    table.AddRow(Cells(trial.normalizer.method, parameters, trial.held_out,
                       trial.hubness));
  }
  RETURN_IF_ERROR(Print(table.Render(OutputWidth())));
  RETURN_IF_ERROR(PrintLine(
      absl::StrCat("Figures of ", WithCommas(report.held_out_pairs),
                   " held-out pairs among ", WithCommas(report.gallery_points),
                   " of ", WithCommas(report.collection_points), " points; ",
                   WithCommas(report.tuning_pairs),
                   " other pairs put the trials in their order.")));
  if (!report.recommended.has_value()) {
    return PrintLine(absl::StrCat("Recommended: none. ", report.reason, "."));
  }
  return PrintLine(absl::StrCat("Recommended: ", report.reason, ".\n\n  ",
                                CommandOf(options, *report.recommended)));
}

absl::Status Tune(Session& session, const TuneOptions& options) {
  client::TuneRequest request = options.request;
  ASSIGN_OR_RETURN(request.pairs, ReadPairs(options));
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ProgressMeter meter(ErrorIsTerminal());
  ProgressState state{.unit = "trials"};
  const absl::StatusOr<client::TuneReport> report =
      client->TuneNormalizer(options.collection, request,
                             [&](const client::WorkProgress& progress) {
                               state.done = progress.done;
                               state.total = progress.total;
                               meter.Show(state);
                               return true;
                             },
                             {.timeout = absl::InfiniteDuration()});
  meter.Done(state);
  RETURN_IF_ERROR(report.status());
  return Show(session, options, *report);
}

void AddPairOptions(CLI::App* tune, TuneOptions* options) {
  tune->add_option("--pairs", options->pairs.path,
                   "Queries with the id of their right answer: JSON lines "
                   "(\"id\", \"vector\"), or a .npy or .fvecs file whose row i "
                   "is answered by point --first-id + i; - = standard input")
      ->required();
  tune->add_option("--vectors", options->pairs.vectors_path,
                   "A .npy or .fvecs file whose row i is the query of line i");
  tune->add_option("--id-field", options->pairs.id_field,
                   "The key of a line that holds the id of the answer")
      ->capture_default_str();
  tune->add_option("--first-id", options->pairs.first_id,
                   "The answer of row 0 of a vector file")
      ->capture_default_str();
  tune->add_option("--first", options->first, "Pair to begin with");
  tune->add_option("--count", options->count, "Pairs; 0: all that follow");
}

}  // namespace

void AddTuneCommand(CLI::App* normalizer, Action* action) {
  auto options = std::make_shared<TuneOptions>();
  client::TuneRequest* const request = &options->request;
  CLI::App* tune = normalizer->add_subcommand(
      "tune", "Find the normalizer that labelled queries gain most by");
  tune->add_option("COLLECTION", options->collection, "The collection")
      ->required();
  AddPairOptions(tune, options.get());
  tune->add_option("--bank", request->query_bank,
                   "A bank like the queries, but not of the pairs themselves")
      ->required();
  tune->add_option("--gallery-bank", request->gallery_bank,
                   "A bank like points: dual methods are tried, too");
  tune->add_option("--field", request->field, "Vector field");
  tune->add_option("--method", request->methods,
                   "Try only this one (may be repeated)")
      ->allow_extra_args(false);
  tune->add_option_function<double>(
      "--held-out",
      [request](const double& share) { request->held_out = share; },
      "Share of the pairs that judges [0.5]");
  tune->add_option("--seed", request->seed, "Which pairs and points")
      ->capture_default_str();
  tune->add_option("--points-max", request->gallery_points_max,
                   "Points that are ranked, at most: a sample with all right "
                   "answers; 0: 20,000, up to 200,000");
  tune->add_option("--name", options->name,
                   "Name of the normalizer in the command that is printed")
      ->capture_default_str();
  tune->footer(
      "Examples:\n"
      "  sextant normalizer tune docs --pairs labelled.jsonl --bank asked\n"
      "  sextant normalizer tune docs --pairs answers.jsonl --vectors q.npy "
      "--id-field answer --bank asked --gallery-bank points\n"
      "  sextant normalizer tune docs --pairs q.npy --count 1000 --bank asked "
      "--method inverted_softmax --method csls\n"
      "\n"
      "Nothing is stored. The command that is printed makes the normalizer.");
  tune->callback([options, action] {
    *action = [options](Session& session) { return Tune(session, *options); };
  });
}

}  // namespace sextant::cli
