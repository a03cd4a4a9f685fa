// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/value_names.h"
#include "clients/cli/wait_for_points.h"

namespace sextant::cli {
namespace {

struct CreateOptions {
  std::string name;
  uint32_t dimension = 0;
  std::string metric = "cosine";
  std::string field = kDefaultField;
  std::vector<std::string> vector_fields;
  std::vector<std::string> payload_fields;
  std::vector<std::string> text_fields;
  std::vector<std::string> sparse_fields;
  std::string id_kind = "number";
  uint32_t m = 0;
  uint32_t ef_construction = 0;
  std::string encoding = "auto";
  std::string rerank = "memory";
};

// "title:384:cosine"
absl::StatusOr<client::VectorField> ParseField(const std::string& text,
                                               const CreateOptions& options) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  client::VectorField field;
  if (parts.size() < 2 || parts.size() > 3 ||
      !absl::SimpleAtoi(parts[1], &field.dimension)) {
    return UsageError(absl::StrCat("--vector-field '", text,
                                   "': expected NAME:DIMENSION[:METRIC], like "
                                   "title:384:cosine"));
  }
  field.name = parts[0];
  ASSIGN_OR_RETURN(field.metric,
                   ParseMetric(parts.size() == 3 ? parts[2] : options.metric));
  return field;
}

// "size:integer:window", given to `option`.
absl::StatusOr<client::PayloadField> ParsePayloadField(
    absl::string_view option, const std::string& text) {
  const std::string shown = absl::StrCat(option, " '", text, "'");
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() < 2 || parts.size() > 3 ||
      (parts.size() == 3 && parts[2] != "window")) {
    return UsageError(absl::StrCat(shown,
                                   ": expected NAME:TYPE[:window], like "
                                   "section:keyword or size:integer:window"));
  }
  client::PayloadField field{.name = parts[0], .window = parts.size() == 3};
  ASSIGN_OR_RETURN(field.type, ParseFieldType(shown, parts[1]));
  return field;
}

// "description:english" or "code:keyword".
absl::StatusOr<client::TextField> ParseTextField(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() > 2 || parts[0].empty()) {
    return UsageError(absl::StrCat(
        "--text-field '", text,
        "': expected NAME or NAME:ANALYZER, like description:english"));
  }
  client::TextField field{.name = parts[0]};
  if (parts.size() == 2) {
    client::Analyzer analyzer = ParseAnalyzer(parts[1]);
    field.analyzer = analyzer.kind;
    field.language = std::move(analyzer.language);
  }
  return field;
}

std::string PayloadFieldText(const client::PayloadField& field) {
  return absl::StrCat(FieldTypeName(field.type),
                      field.window ? ", window" : "");
}

// ", being filled in: 1,000 of 4,000 points"; empty when it is.
std::string FillText(const client::CollectionInfo& info,
                     absl::string_view field) {
  for (const client::FieldFill& fill : info.fills) {
    if (fill.field == field) {
      return absl::StrCat(", being filled in: ", WithCommas(fill.points_done),
                          " of ", WithCommas(fill.points_total), " points");
    }
  }
  return "";
}

// ", becoming standard english: 1,000 of 4,000 points"; empty when it is not.
std::string ChangeText(const client::CollectionInfo& info,
                       absl::string_view field) {
  const std::optional<client::TextFieldChange>& change = info.text_field_change;
  if (!change.has_value() || change->next.name != field) {
    return "";
  }
  return absl::StrCat(", ", BecomingText(*change));
}

absl::StatusOr<client::CollectionSchema> Schema(const CreateOptions& options) {
  client::CollectionSchema schema;
  if (options.id_kind == "string") {
    schema.id_kind = client::IdKind::kString;
  }
  for (const std::string& text : options.vector_fields) {
    ASSIGN_OR_RETURN(client::VectorField field, ParseField(text, options));
    schema.vector_fields.push_back(std::move(field));
  }
  for (const std::string& name : options.sparse_fields) {
    schema.sparse_fields.push_back({.name = name});
  }
  if (schema.vector_fields.empty() &&
      (options.dimension != 0 || schema.sparse_fields.empty())) {
    if (options.dimension == 0) {
      return UsageError(
          "--dimension N is required (or --vector-field, or --sparse-field)");
    }
    ASSIGN_OR_RETURN(const client::Metric metric, ParseMetric(options.metric));
    schema.vector_fields.push_back({.name = options.field,
                                    .dimension = options.dimension,
                                    .metric = metric});
  } else if (options.dimension != 0) {
    return UsageError("--dimension and --vector-field exclude each other");
  }
  for (client::VectorField& field : schema.vector_fields) {
    field.m = options.m;
    field.ef_construction = options.ef_construction;
    ASSIGN_OR_RETURN(field.encoding, ParseEncoding(options.encoding));
    ASSIGN_OR_RETURN(field.rerank, ParseRerank(options.rerank));
  }
  for (const std::string& text : options.payload_fields) {
    ASSIGN_OR_RETURN(client::PayloadField field,
                     ParsePayloadField("--payload-field", text));
    schema.payload_fields.push_back(std::move(field));
  }
  for (const std::string& text : options.text_fields) {
    ASSIGN_OR_RETURN(client::TextField field, ParseTextField(text));
    schema.text_fields.push_back(std::move(field));
  }
  return schema;
}

std::string FieldsText(const client::CollectionSchema& schema) {
  std::vector<std::string> fields;
  for (const client::VectorField& field : schema.vector_fields) {
    fields.push_back(absl::StrCat(field.name, " ", field.dimension, " ",
                                  MetricName(field.metric)));
  }
  for (const client::SparseField& field : schema.sparse_fields) {
    fields.push_back(absl::StrCat(field.name, " sparse"));
  }
  return absl::StrJoin(fields, ", ");
}

absl::Status Create(Session& session, const CreateOptions& options) {
  ASSIGN_OR_RETURN(const client::CollectionSchema schema, Schema(options));
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::CollectionInfo info,
                   client->CreateCollection(options.name, schema));
  if (session.json()) {
    return PrintLine(CollectionJson(info));
  }
  return PrintLine(absl::StrCat("created collection '", info.name,
                                "': ", FieldsText(info.schema)));
}

absl::Status ListCollections(Session& session) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::CollectionInfo> infos,
                   client->ListCollections());
  if (session.json()) {
    for (const client::CollectionInfo& info : infos) {
      RETURN_IF_ERROR(PrintLine(CollectionJson(info)));
    }
    return absl::OkStatus();
  }
  Table table({{"collection"}, {"points", Align::kRight}, {"ids"}, {"fields"}});
  for (const client::CollectionInfo& info : infos) {
    const bool text_ids = info.schema.id_kind == client::IdKind::kString;
    table.AddRow({info.name, WithCommas(info.point_count),
                  text_ids ? "string" : "number", FieldsText(info.schema)});
  }
  if (table.empty()) {
    Note(
        "no collections; `sextant collection create --help` shows how to "
        "make one");
    return absl::OkStatus();
  }
  return Print(table.Render(OutputWidth()));
}

absl::Status Describe(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::CollectionInfo info,
                   client->GetCollection(name));
  if (session.json()) {
    return PrintLine(CollectionJson(info));
  }
  Table table({{"collection"}, {info.name}});
  table.AddRow({"points", WithCommas(info.point_count)});
  table.AddRow({"ids", info.schema.id_kind == client::IdKind::kString
                           ? "string"
                           : "number"});
  for (const client::VectorField& field : info.schema.vector_fields) {
    table.AddRow({absl::StrCat("field ", field.name),
                  absl::StrCat(field.dimension, " numbers, ",
                               MetricName(field.metric), ", m ", field.m,
                               ", ef_construction ", field.ef_construction,
                               ", encoding ", EncodingName(field.encoding),
                               ", rerank ", RerankName(field.rerank))});
  }
  for (const client::SparseField& field : info.schema.sparse_fields) {
    table.AddRow({absl::StrCat("field ", field.name), "sparse, inner product"});
  }
  for (const client::PayloadField& field : info.schema.payload_fields) {
    table.AddRow(
        {absl::StrCat("payload ", field.name),
         absl::StrCat(PayloadFieldText(field), FillText(info, field.name))});
  }
  for (const client::TextField& field : info.schema.text_fields) {
    table.AddRow(
        {absl::StrCat("payload ", field.name),
         absl::StrCat(TextFieldText(field), ChangeText(info, field.name))});
  }
  if (info.index.payload_misfits > 0) {
    table.AddRow(
        {"misfits", absl::StrCat(WithCommas(info.index.payload_misfits),
                                 " stored values not of their "
                                 "field's type count as absent")});
  }
  table.AddRow(
      {"created", absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", info.create_time,
                                   absl::UTCTimeZone())});
  table.AddRow({"last write", absl::StrCat(info.applied_seq)});
  table.AddRow({"content hash", info.content_hash});
  return Print(table.Render(0));
}

// Where the values of an added field are filled in.
std::optional<PointsDone> FilledOf(const client::CollectionInfo& info) {
  if (info.fills.empty()) {
    return std::nullopt;
  }
  return PointsDone{info.fills.back().points_done,
                    info.fills.back().points_total};
}

struct AddFieldOptions {
  std::string name;
  std::string field;
  bool no_wait = false;
};

absl::Status AddField(Session& session, const AddFieldOptions& options) {
  ASSIGN_OR_RETURN(const client::PayloadField field,
                   ParsePayloadField("field", options.field));
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(client::CollectionInfo info,
                   client->AddPayloadField(options.name, field));
  if (!options.no_wait && !info.fills.empty()) {
    ASSIGN_OR_RETURN(info, WaitForPoints(*client, std::move(info), FilledOf));
  }
  if (session.json()) {
    return PrintLine(CollectionJson(info));
  }
  std::string text = absl::StrCat("added '", field.name, "' (",
                                  PayloadFieldText(field), ") to collection '",
                                  info.name, "'", FillText(info, field.name));
  if (info.index.payload_misfits > 0) {
    absl::StrAppend(&text, "; ", WithCommas(info.index.payload_misfits),
                    " stored values not of their field's type count as absent");
  }
  return PrintLine(text);
}

// Asks a person; a script is taken at its word.
absl::Status Confirm(client::Client& client, const std::string& name) {
  ASSIGN_OR_RETURN(const client::CountResult count, client.Count(name));
  absl::FPrintF(stderr, "Delete collection '%s' with %s points? [y/N] ", name,
                WithCommas(count.count));
  char answer[8] = {};
  if (fgets(answer, sizeof(answer), stdin) != nullptr &&
      absl::ascii_tolower(static_cast<unsigned char>(answer[0])) == 'y') {
    return absl::OkStatus();
  }
  return absl::CancelledError("nothing was deleted");
}

absl::Status Drop(Session& session, const std::string& name, bool sure) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  if (!sure && InputIsTerminal()) {
    RETURN_IF_ERROR(Confirm(*client, name));
  }
  ASSIGN_OR_RETURN(const uint64_t points, client->DeleteCollection(name));
  if (session.json()) {
    return PrintLine(
        JsonObject().AddText("name", name).AddNumber("points", points).Text());
  }
  return PrintLine(absl::StrCat("deleted collection '", name, "' with ",
                                WithCommas(points), " points"));
}

void AddCreate(CLI::App& parent, Action* action) {
  CLI::App* command = parent.add_subcommand("create", "Make a collection");
  auto options = std::make_shared<CreateOptions>();
  command->add_option("NAME", options->name, "Letters, digits, _ and -")
      ->required();
  command
      ->add_option("--dimension", options->dimension,
                   "Numbers of a vector, 1 to 65,536")
      ->check(CLI::Range(1, 65'536));
  command
      ->add_option("--metric", options->metric,
                   "cosine, ip (inner product) or l2")
      ->capture_default_str();
  command->add_option("--field", options->field, "Name of the vector field")
      ->capture_default_str();
  command
      ->add_option("--vector-field", options->vector_fields,
                   "NAME:DIMENSION[:METRIC], several times for several "
                   "fields; instead of --dimension")
      ->allow_extra_args(false);
  command
      ->add_option("--payload-field", options->payload_fields,
                   "NAME:TYPE[:window], several times for several: a part of "
                   "the payload that filters may name; TYPE is integer, float, "
                   "timestamp, boolean or keyword")
      ->allow_extra_args(false);
  command
      ->add_option("--text-field", options->text_fields,
                   "NAME[:ANALYZER], several times for several: a part of the "
                   "payload that is searched as text; ANALYZER is a language, "
                   "like english, or standard, keyword, ngram or edge-ngram")
      ->allow_extra_args(false);
  command
      ->add_option("--sparse-field", options->sparse_fields,
                   "NAME, several times for several: a field of sparse "
                   "vectors; --dimension may then be left out")
      ->allow_extra_args(false);
  command->add_option("--id-kind", options->id_kind, "number or string")
      ->check(CLI::IsMember({"number", "string"}))
      ->capture_default_str();
  command->add_option("--m", options->m, "Links of a graph node, 4 to 64");
  command->add_option("--ef-construction", options->ef_construction,
                      "Beam width while building, 8 to 2,000");
  command
      ->add_option("--encoding", options->encoding,
                   "What graph searches read: auto (the cheapest that loses no "
                   "recall), float, bf16, int8, int4 or binary")
      ->capture_default_str();
  command
      ->add_option("--rerank", options->rerank,
                   "Where the floats lie that score what codes found: memory "
                   "(fastest), mapped (in the file) or none (hits keep the "
                   "codes' scores; needs --encoding)")
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  sextant collection create docs --dimension 384 --metric cosine\n"
      "  sextant collection create shop --id-kind string \\\n"
      "      --vector-field title:384:cosine --vector-field photo:512:ip\n"
      "  sextant collection create packages --dimension 512 \\\n"
      "      --payload-field section:keyword "
      "--payload-field size:integer:window\n"
      "  sextant collection create docs --dimension 384 --sparse-field terms");
  command->callback([options, action] {
    *action = [options](Session& session) { return Create(session, *options); };
  });
}

void AddAddField(CLI::App& parent, Action* action) {
  CLI::App* command = parent.add_subcommand(
      "add-field", "Declare a payload field in a collection that is there");
  auto options = std::make_shared<AddFieldOptions>();
  command->add_option("NAME", options->name, "The collection")->required();
  command
      ->add_option("FIELD", options->field,
                   "NAME:TYPE[:window]: a part of the payload that filters may "
                   "name; TYPE is integer, float, timestamp, boolean or "
                   "keyword")
      ->required();
  command->add_flag("--no-wait", options->no_wait,
                    "Do not wait until the points that are there have it");
  command->footer(
      "Example:\n  sextant collection add-field packages size:integer:window");
  command->callback([options, action] {
    *action = [options](Session& session) {
      return AddField(session, *options);
    };
  });
}

void AddDelete(CLI::App& parent, Action* action) {
  CLI::App* command =
      parent.add_subcommand("delete", "Drop a collection with all its points");
  auto name = std::make_shared<std::string>();
  auto sure = std::make_shared<bool>(false);
  command->add_option("NAME", *name, "The collection")->required();
  command->add_flag("-y,--yes", *sure, "Do not ask");
  command->footer("Example:\n  sextant collection delete docs --yes");
  command->callback([name, sure, action] {
    *action = [name, sure](Session& session) {
      return Drop(session, *name, *sure);
    };
  });
}

}  // namespace

absl::StatusOr<client::Metric> ParseMetric(absl::string_view name) {
  if (name == "cosine") {
    return client::Metric::kCosine;
  }
  if (name == "ip") {
    return client::Metric::kInnerProduct;
  }
  if (name == "l2") {
    return client::Metric::kL2;
  }
  return UsageError(
      absl::StrCat("--metric: expected cosine, ip or l2, got '", name, "'"));
}

std::string MetricName(client::Metric metric) {
  switch (metric) {
    case client::Metric::kCosine:
      return "cosine";
    case client::Metric::kInnerProduct:
      return "ip";
    case client::Metric::kL2:
      return "l2";
  }
  return "";
}

void AddCollectionCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand(
      "collection", "Make, list, describe, extend and drop collections");
  command->require_subcommand(1);
  AddCreate(*command, action);
  CLI::App* list = command->add_subcommand("list", "List all collections");
  list->footer("Example:\n  sextant collection list --output json");
  list->callback([action] { *action = ListCollections; });
  CLI::App* get = command->add_subcommand("get", "Describe a collection");
  auto name = std::make_shared<std::string>();
  get->add_option("NAME", *name, "The collection")->required();
  get->footer("Example:\n  sextant collection get docs");
  get->callback([name, action] {
    *action = [name](Session& session) { return Describe(session, *name); };
  });
  AddAddField(*command, action);
  AddSetTextFieldCommand(command, action);
  AddDelete(*command, action);
}

}  // namespace sextant::cli
