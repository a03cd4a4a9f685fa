// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/importer.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output.h"
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

struct ImportFlags {
  SourceOptions source;
  ImportOptions import;
  bool create = false;
  std::string metric = "cosine";
};

absl::StatusOr<client::CollectionInfo> CreateFor(client::Client& client,
                                                 const PointSource& source,
                                                 const ImportFlags& options) {
  const SourceShape& shape = source.shape();
  if (shape.fields.empty() && shape.sparse_fields.empty()) {
    return InputError(absl::InvalidArgumentError(absl::StrCat(
        options.source.path,
        ": --create needs a first point with a vector to know the dimension")));
  }
  client::CollectionSchema schema;
  schema.id_kind = shape.id_kind;
  ASSIGN_OR_RETURN(const client::Metric metric, ParseMetric(options.metric));
  for (const auto& [name, dimension] : shape.fields) {
    const std::string field =
        options.import.field.empty() ? kDefaultField : options.import.field;
    if (dimension > UINT32_MAX) {
      return InputError(absl::InvalidArgumentError(
          absl::StrCat(options.source.path, ": dimension ", dimension)));
    }
    schema.vector_fields.push_back(
        {.name = name.empty() ? field : name,
         .dimension = static_cast<uint32_t>(dimension),
         .metric = metric});
  }
  for (const std::string& name : shape.sparse_fields) {
    schema.sparse_fields.push_back({.name = name});
  }
  return client.CreateCollection(options.import.collection, schema);
}

absl::StatusOr<client::CollectionInfo> FindOrCreate(
    client::Client& client, const PointSource& source,
    const ImportFlags& options) {
  absl::StatusOr<client::CollectionInfo> info =
      client.GetCollection(options.import.collection);
  if (info.status().code() != absl::StatusCode::kNotFound) {
    return info;
  }
  if (options.create) {
    return CreateFor(client, source, options);
  }
  return absl::NotFoundError(absl::StrCat(
      info.status().message(),
      "\nMake it first with `sextant collection create`, or let the import "
      "make it with --create."));
}

absl::Status Report(const Session& session, const ImportSummary& summary,
                    const std::string& collection) {
  const double seconds = absl::ToDoubleSeconds(summary.time);
  if (session.json()) {
    return PrintLine(JsonObject()
                         .AddText("collection", collection)
                         .AddNumber("points", summary.points)
                         .AddNumber("inserted", summary.inserted)
                         .AddNumber("updated", summary.updated)
                         .AddNumber("skipped", summary.skipped)
                         .AddNumber("seconds", seconds)
                         .Text());
  }
  std::string text =
      absl::StrCat("imported ", WithCommas(summary.points), " points into '",
                   collection, "' in ", HumanTime(summary.time));
  if (seconds > 0 && summary.points > 0) {
    const double rate = static_cast<double>(summary.points) / seconds;
    absl::StrAppend(&text, " (", WithCommas(static_cast<uint64_t>(rate)),
                    "/s)");
  }
  absl::StrAppend(&text, ": ", WithCommas(summary.inserted), " new, ",
                  WithCommas(summary.updated), " overwritten");
  if (summary.skipped > 0) {
    absl::StrAppend(&text, ", ", WithCommas(summary.skipped),
                    " imported before");
  }
  return PrintLine(text);
}

absl::Status Run(Session& session, ImportFlags options) {
  const bool from_stdin = options.source.path == "-";
  if (from_stdin && options.import.resume) {
    return UsageError("--resume needs a file, not standard input");
  }
  if (options.import.state_path.empty() && !from_stdin) {
    options.import.state_path = DefaultStatePath(
        session.options().server, options.import.collection, options.source);
  }
  if (options.import.resume && options.import.state_path.empty()) {
    return UsageError(
        "--resume: no home folder for the state; name a file "
        "with --state-file");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<PointSource> source,
                   OpenPointSource(options.source));
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::CollectionInfo info,
                   FindOrCreate(*client, *source, options));
  ASSIGN_OR_RETURN(const std::unique_ptr<client::Client> patient,
                   session.ConnectPatiently());
  ProgressMeter meter(ErrorIsTerminal());
  Importer importer(patient.get(), source.get(), options.import, &meter);
  const absl::StatusOr<ImportSummary> summary = importer.Run(info);
  if (!summary.ok()) {
    const bool can_resume =
        !from_stdin && !options.import.state_path.empty() &&
        LoadImportState(options.import.state_path).has_value();
    if (can_resume) {
      Note(
          "sextant: the import stopped; the same command with --resume goes "
          "on after the last acknowledged point");
    }
    return summary.status();
  }
  return Report(session, *summary, info.name);
}

}  // namespace

void AddImportCommand(CLI::App& app, Action* action) {
  CLI::App* command =
      app.add_subcommand("import", "Load points from a file or from a pipe");
  auto options = std::make_shared<ImportFlags>();
  command->add_option("COLLECTION", options->import.collection, "Where to")
      ->required();
  command
      ->add_option("FILE", options->source.path,
                   ".npy, .fvecs, or JSON lines; - is standard input (JSON "
                   "lines)")
      ->required();
  command->add_option("--vectors", options->source.vectors_path,
                      "Join JSON lines with this .npy or .fvecs: row i belongs "
                      "to line i");
  command
      ->add_option("--id-field", options->source.id_field,
                   "Key of a line that holds the id; without a key `id`, "
                   "points are numbered from 0")
      ->capture_default_str();
  command->add_option("--first-id", options->source.first_id,
                      "Id of the first row of a vector file");
  command->add_option("--field", options->import.field,
                      "Vector field of vectors without a name (default: the "
                      "only one)");
  command
      ->add_option("--batch", options->import.batch_points,
                   "Points of a message, 1 to 10,000 (default: about 4 MiB "
                   "of them); each message is one atomic write")
      ->check(CLI::Range(1, 10'000));
  command
      ->add_option("--window", options->import.window,
                   "Messages on their way without an acknowledgement")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_flag("--resume", options->import.resume,
                    "Go on after the last acknowledged message of an import "
                    "that was stopped");
  command->add_option("--state-file", options->import.state_path,
                      "Where the progress is kept for --resume (default: "
                      "under ~/.local/state/sextant)");
  command->add_flag("--create", options->create,
                    "Make the collection from the first point if there is "
                    "none");
  command
      ->add_option("--metric", options->metric,
                   "With --create: cosine, ip or l2")
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  sextant import docs vectors.npy --create --metric cosine\n"
      "  sextant import packages demo/packages.jsonl --vectors "
      "demo/packages.npy\n"
      "  sextant import packages demo/packages.jsonl --vectors "
      "demo/packages.npy --resume\n"
      "  zcat docs.jsonl.gz | sextant import docs - --id-field uuid\n"
      "\n"
      "A line: {\"id\": 7, \"vector\": [0.1, 0.2], \"title\": \"any other key "
      "is payload\"}\n"
      "With sparse vectors also: \"sparse_vectors\": {\"terms\": "
      "{\"indices\": [3, 17], \"weights\": [0.5, 1.25]}}");
  command->callback([options, action] {
    *action = [options](Session& session) { return Run(session, *options); };
  });
}

}  // namespace sextant::cli
