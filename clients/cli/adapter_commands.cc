// SPDX-License-Identifier: Apache-2.0
// `sextant adapter`.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/output.h"
#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/verb.h"
#include "clients/formats/line_reader.h"
#include "clients/formats/vector_file.h"

namespace sextant::cli {
namespace {

using nlohmann::json;

struct AdapterOptions {
  std::string collection;
  client::AdapterFitRequest fit;
  std::string name;
  std::string field;
  std::string file;
  std::string queries;
  std::string labels;
  int64_t least_grade = 1;
  bool layers = false;
};

json ToJson(const client::AdapterFit& fit) {
  json families = json::array();
  for (const client::FamilyFit& one : fit.families) {
    families.push_back({{"family", one.family},
                        {"epochs", one.epochs},
                        {"loss", one.loss},
                        {"threshold", one.threshold},
                        {"recall", one.recall},
                        {"precision", one.precision},
                        {"average_precision", one.average_precision}});
  }
  return {{"families", std::move(families)},
          {"queries", fit.queries},
          {"pairs", fit.pairs},
          {"held_out_queries", fit.held_out_queries},
          {"held_out_pairs", fit.held_out_pairs},
          {"held_out_relevant", fit.held_out_relevant},
          {"labels_missing", fit.labels_missing},
          {"recall", fit.recall},
          {"precision", fit.precision},
          {"cosine_recall", fit.cosine_recall},
          {"cosine_precision", fit.cosine_precision},
          {"average_precision", fit.average_precision},
          {"cosine_average_precision", fit.cosine_average_precision},
          {"epochs", fit.epochs}};
}

json ToJson(const client::CosineAdapter& adapter) {
  json object = {{"name", adapter.name},
                 {"field", adapter.field},
                 {"family", adapter.family},
                 {"threshold", adapter.threshold},
                 {"version", adapter.version}};
  if (adapter.fit.has_value()) {
    object["fit"] = ToJson(*adapter.fit);
  }
  if (!adapter.layers.empty()) {
    json layers = json::array();
    for (const client::AdapterLayer& layer : adapter.layers) {
      layers.push_back({{"outputs", layer.outputs},
                        {"weights", layer.weights},
                        {"biases", layer.biases}});
    }
    object["layers"] = std::move(layers);
  }
  return object;
}

std::string Percent(double share) {
  return absl::StrFormat("%.1f %%", 100 * share);
}

absl::Status Show(Session& session,
                  const std::vector<client::CosineAdapter>& adapters) {
  if (session.json()) {
    json all = json::array();
    for (const client::CosineAdapter& adapter : adapters) {
      all.push_back(ToJson(adapter));
    }
    return PrintLine(all.dump());
  }
  Table table({{"adapter"},
               {"field"},
               {"family"},
               {"threshold", Align::kRight},
               {"recall", Align::kRight},
               {"precision", Align::kRight},
               {"by cosine", Align::kRight},
               {"version", Align::kRight}});
  for (const client::CosineAdapter& one : adapters) {
    const bool is_fitted = one.fit.has_value();
    table.AddRow({one.name, one.field, one.family,
                  absl::StrFormat("%.4g", one.threshold),
                  is_fitted ? Percent(one.fit->recall) : "-",
                  is_fitted ? Percent(one.fit->precision) : "-",
                  is_fitted ? Percent(one.fit->cosine_precision) : "-",
                  absl::StrCat(one.version)});
  }
  return Print(table.Render(OutputWidth()));
}

// Of the families that were tried; the one that is kept has a star.
absl::Status ShowFamilies(const client::CosineAdapter& adapter) {
  Table table({{""},
               {"family"},
               {"average precision", Align::kRight},
               {"recall", Align::kRight},
               {"precision", Align::kRight},
               {"threshold", Align::kRight},
               {"loss", Align::kRight},
               {"epochs", Align::kRight}});
  for (const client::FamilyFit& one : adapter.fit->families) {
    const bool has_threshold = one.threshold > 0;
    table.AddRow({one.family == adapter.family ? "*" : "", one.family,
                  absl::StrFormat("%.4f", one.average_precision),
                  has_threshold ? Percent(one.recall) : "-",
                  has_threshold ? Percent(one.precision) : "-",
                  has_threshold ? absl::StrFormat("%.4g", one.threshold) : "-",
                  absl::StrFormat("%.5f", one.loss), absl::StrCat(one.epochs)});
  }
  table.AddRow({"", "(cosine)",
                absl::StrFormat("%.4f", adapter.fit->cosine_average_precision),
                Percent(adapter.fit->cosine_recall),
                Percent(adapter.fit->cosine_precision), "", "", ""});
  RETURN_IF_ERROR(Print(table.Render(OutputWidth())));
  return PrintLine(absl::StrCat(
      "Figures of ", WithCommas(adapter.fit->held_out_pairs), " pairs of ",
      WithCommas(adapter.fit->held_out_queries),
      " held-out queries; the greatest average precision is kept.\n"));
}

absl::Status WrongLine(const LineReader& reader, absl::string_view what) {
  return InputError(absl::InvalidArgumentError(
      absl::StrCat(reader.name(), ":", reader.line_number(), ": ", what)));
}

// Lines "ROW ID [GRADE]", by tabs or spaces: ROW of the file of queries.
absl::Status ReadLabels(const AdapterOptions& options, client::Client& client,
                        std::vector<client::LabelledQuery>* queries) {
  ASSIGN_OR_RETURN(LineReader reader, LineReader::Open(options.labels));
  std::vector<std::string> ids;
  std::vector<std::pair<uint64_t, int64_t>> rows_and_grades;
  absl::string_view line;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
    if (!more) {
      break;
    }
    const std::vector<absl::string_view> parts =
        absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    if (parts.empty()) {
      continue;
    }
    uint64_t row = 0;
    int64_t grade = 1;
    if (parts.size() < 2 || parts.size() > 3 ||
        !absl::SimpleAtoi(parts[0], &row) ||
        (parts.size() == 3 && !absl::SimpleAtoi(parts[2], &grade))) {
      return WrongLine(reader, "expected ROW ID [GRADE]");
    }
    if (row >= queries->size()) {
      return WrongLine(reader, absl::StrCat("row ", row, " of ",
                                            queries->size(), " queries"));
    }
    ids.emplace_back(parts[1]);
    rows_and_grades.emplace_back(row, grade);
  }
  ASSIGN_OR_RETURN(const std::vector<client::PointId> parsed,
                   ParseIds(client, options.collection, ids));
  for (size_t i = 0; i < parsed.size(); ++i) {
    client::LabelledQuery& query = (*queries)[rows_and_grades[i].first];
    (rows_and_grades[i].second >= options.least_grade ? query.relevant
                                                      : query.not_relevant)
        .push_back(parsed[i]);
  }
  return absl::OkStatus();
}

// A line of progress for the searches and for each family that is trained.
class FitMeter {
 public:
  void Show(const client::FitProgress& progress) {
    if (!meter_.has_value() || progress.family != family_) {
      Done();
      family_ = progress.family;
      meter_.emplace(ErrorIsTerminal());
    }
    state_.done = progress.done;
    state_.total = progress.total;
    state_.unit = family_.empty() ? "queries"
                                  : absl::StrFormat("epochs of %s, loss %.5f",
                                                    family_, progress.loss);
    meter_->Show(state_);
  }
  void Done() {
    if (meter_.has_value()) {
      meter_->Done(state_);
    }
  }

 private:
  std::string family_;
  ProgressState state_;
  absl::optional<ProgressMeter> meter_;
};

absl::Status Fit(Session& session, const AdapterOptions& options) {
  if (options.fit.recall.has_value() && options.fit.precision.has_value()) {
    return UsageError("--precision excludes --recall");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorFile> file,
                   OpenVectorFile(options.queries));
  client::AdapterFitRequest request = options.fit;
  request.name = options.name;
  request.field = options.field;
  request.queries.resize(file->rows());
  for (uint64_t row = 0; row < file->rows(); ++row) {
    request.queries[row].vector.resize(file->dimension());
    RETURN_IF_ERROR(file->ReadRows(row, request.queries[row].vector));
  }
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  RETURN_IF_ERROR(ReadLabels(options, *client, &request.queries));
  // Rows without labels say nothing.
  std::erase_if(request.queries, [](const client::LabelledQuery& query) {
    return query.relevant.empty() && query.not_relevant.empty();
  });
  FitMeter meter;
  const absl::StatusOr<client::CosineAdapter> fitted =
      client->FitAdapter(options.collection, request,
                         [&meter](const client::FitProgress& progress) {
                           meter.Show(progress);
                           return true;
                         },
                         {.timeout = absl::InfiniteDuration()});
  meter.Done();
  RETURN_IF_ERROR(fitted.status());
  const client::CosineAdapter& adapter = *fitted;
  if (!session.json() && adapter.fit.has_value() &&
      adapter.fit->families.size() > 1) {
    RETURN_IF_ERROR(ShowFamilies(adapter));
  }
  RETURN_IF_ERROR(Show(session, {adapter}));
  if (adapter.fit.has_value() && adapter.fit->labels_missing > 0) {
    Note(absl::StrCat(WithCommas(adapter.fit->labels_missing),
                      " labels name points that do not exist"));
  }
  return absl::OkStatus();
}

absl::StatusOr<client::CosineAdapter> ReadAdapter(const std::string& path) {
  ASSIGN_OR_RETURN(LineReader reader, LineReader::Open(path));
  std::string text;
  absl::string_view line;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
    if (!more) {
      break;
    }
    absl::StrAppend(&text, line, "\n");
  }
  const json object = json::parse(text, nullptr, false);
  client::CosineAdapter adapter;
  try {
    adapter.family = object.at("family").get<std::string>();
    adapter.threshold = object.at("threshold").get<double>();
    for (const json& layer : object.at("layers")) {
      adapter.layers.push_back({layer.at("outputs").get<uint32_t>(),
                                layer.at("weights").get<std::vector<float>>(),
                                layer.at("biases").get<std::vector<float>>()});
    }
  } catch (const json::exception& error) {
    return InputError(absl::InvalidArgumentError(
        absl::StrCat(reader.name(),
                     ": expected {\"family\", \"threshold\", \"layers\": "
                     "[{\"outputs\", \"weights\", \"biases\"}]}: ",
                     error.what())));
  }
  return adapter;
}

absl::Status Put(Session& session, const AdapterOptions& options) {
  ASSIGN_OR_RETURN(client::CosineAdapter adapter, ReadAdapter(options.file));
  adapter.name = options.name;
  adapter.field = options.field;
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::CosineAdapter made,
                   client->PutAdapter(options.collection, adapter));
  return Show(session, {made});
}

absl::Status List(Session& session, const AdapterOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::CosineAdapter> adapters,
                   client->ListAdapters(options.collection, options.layers));
  return Show(session, adapters);
}

absl::Status Delete(Session& session, const AdapterOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  return client->DeleteAdapter(options.collection, options.name);
}

void AddFit(CLI::App* noun, const std::shared_ptr<AdapterOptions>& options,
            Action* action) {
  client::AdapterFitRequest* const fit = &options->fit;
  CLI::App* command =
      AddVerb(noun, "fit", "Fit an adapter to labelled queries", options);
  command->add_option("NAME", options->name, "The adapter")->required();
  command->add_option("--queries", options->queries, "A .npy or .fvecs file")
      ->required();
  command
      ->add_option("--labels", options->labels,
                   "Lines ROW ID [GRADE]: row of --queries, point, and how "
                   "good it is; - is standard input")
      ->required();
  command
      ->add_option("--min-grade", options->least_grade,
                   "Labels with this grade or more are relevant")
      ->capture_default_str();
  command->add_option("--field", options->field, "Vector field");
  fit->family = "auto";
  command
      ->add_option("--family", fit->family,
                   "linear, square_root, quadratic, power, or auto: all, of "
                   "which the best on the held-out queries is kept")
      ->capture_default_str();
  AddParameter(command, "--recall",
               "Share of the relevant that the threshold keeps (default: 0.95)",
               &fit->recall);
  AddParameter(command, "--precision",
               "Instead: share of what it keeps that is relevant",
               &fit->precision);
  AddParameter(command, "--negatives",
               "Nearest points of each query that count as not relevant "
               "unless they are labelled (default: 100)",
               &fit->negatives);
  AddParameter(command, "--held-out",
               "Share of the queries that the threshold is chosen on "
               "(default: 0.3)",
               &fit->held_out);
  command->add_option("--hidden", fit->hidden,
                      "Units of the network's hidden layer (default: 128)");
  command->add_option("--epochs", fit->epochs,
                      "Passes over the queries, at most (default: 300)");
  command->add_option("--seed", fit->seed, "Of the split and the training")
      ->capture_default_str();
  command->footer(
      "It may take minutes; Ctrl-C ends it, on the server, too.\n"
      "Example:\n"
      "  sextant adapter fit docs good --queries asked.npy --labels "
      "qrels.tsv --recall 0.95\n"
      "  sextant search docs --vector-file q.npy --cut-off adapter:good");
  RunBy(command, options, &Fit, action);
}

}  // namespace

void AddAdapterCommand(CLI::App& app, Action* action) {
  CLI::App* noun = app.add_subcommand(
      "adapter", "What cosines are worth for a query, and where answers end");
  noun->require_subcommand(1);
  auto options = std::make_shared<AdapterOptions>();
  AddFit(noun, options, action);
  CLI::App* put = AddVerb(
      noun, "put", "Store an adapter that was trained elsewhere", options);
  put->add_option("NAME", options->name, "The adapter")->required();
  put->add_option("--file", options->file,
                  "JSON: family, threshold, layers (each outputs, weights "
                  "row by row, biases)")
      ->required();
  put->add_option("--field", options->field, "Vector field");
  put->footer(
      "Example:\n"
      "  sextant adapter list docs --layers --output json | jq '.[0]' > "
      "good.json\n"
      "  sextant adapter put other good --file good.json");
  RunBy(put, options, &Put, action);

  CLI::App* list =
      AddVerb(noun, "list", "Show the adapters of a collection", options);
  list->add_flag("--layers", options->layers,
                 "With the weights of the networks (JSON output)");
  RunBy(list, options, &List, action);
  CLI::App* remove = AddVerb(noun, "delete", "Delete an adapter", options);
  remove->add_option("NAME", options->name, "The adapter")->required();
  RunBy(remove, options, &Delete, action);
}

}  // namespace sextant::cli
