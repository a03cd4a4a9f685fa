// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
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
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/cut_off_text.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output.h"
#include "clients/cli/query_source.h"
#include "clients/cli/search_tables.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/formats/json_point.h"

namespace sextant::cli {
namespace {

constexpr uint64_t kSearchesPerBatchMax = 1'000;  // of the API
constexpr uint64_t kHitsPerBatchMax = 100'000;

struct SearchOptions {
  std::string collection;
  QueryOptions query;
  int64_t row = -1;
  std::string id;
  bool list_queries = false;
  std::string text;
  std::vector<std::string> text_fields;
  std::string fusion = "rrf";
  std::string normaliser;
  double vector_weight = 1;
  double text_weight = 1;
  std::string sparse_vector;
  std::string sparse_id;
  std::string sparse_field;
  double sparse_weight = 1;
  client::SearchRequest request;
  std::vector<std::string> fields;
  std::string cut_off;
  bool payload = false;
  bool vectors = false;
  bool highlight = false;
  client::HighlightRequest highlighting;
  uint64_t batch = 100;
};

// The hits of one or many searches as a table. Used by one thread.
class HitTable {
 public:
  HitTable(const SearchOptions& options, bool many)
      : options_(options), many_(many), table_(Columns(options, many)) {}

  void Add(uint64_t query, const client::SearchResult& result) {
    const bool is_grouped = !options_.request.group_by.empty();
    // Of hits, or within each group.
    uint64_t rank = is_grouped ? 0 : options_.request.offset;
    auto group = result.groups.begin();
    for (const client::Hit& hit : result.hits) {
      std::vector<std::string> cells;
      if (many_) {
        cells.push_back(absl::StrCat(query));
      }
      if (is_grouped) {
        if (group != result.groups.end() && rank == group->hits) {
          ++group;
          rank = 0;
        }
        cells.push_back(
            group == result.groups.end() ? "" : FieldValueText(group->value));
      }
      cells.push_back(absl::StrCat(++rank));
      cells.push_back(client::ToString(hit.id));
      cells.push_back(ScoreText(hit.score));
      for (std::string& cell : PayloadCells(hit.payload, options_.fields)) {
        cells.push_back(std::move(cell));
      }
      if (options_.payload) {
        cells.push_back(hit.payload);
      }
      table_.AddRow(cells);
    }
  }

  absl::Status PrintAll() const { return Print(table_.Render(OutputWidth())); }

 private:
  static std::vector<Column> Columns(const SearchOptions& options, bool many) {
    std::vector<Column> columns;
    if (many) {
      columns.push_back({"query", Align::kRight});
    }
    if (!options.request.group_by.empty()) {
      columns.push_back({options.request.group_by});
    }
    columns.push_back({"#", Align::kRight});
    columns.push_back({"id"});
    columns.push_back({"score", Align::kRight});
    for (const std::string& field : options.fields) {
      columns.push_back({field});
    }
    if (options.payload) {
      columns.push_back({"payload"});
    }
    return columns;
  }

  const SearchOptions& options_;
  const bool many_;
  Table table_;
};

std::string RecallText(double expected_recall) {
  if (expected_recall >= 1) {
    return ", exact";
  }
  return expected_recall > 0
             ? absl::StrFormat(", expected recall %.3g", expected_recall)
             : "";
}

absl::Status SearchOne(const Session& session, client::Client& client,
                       const SearchOptions& options,
                       const client::SearchRequest& request) {
  ASSIGN_OR_RETURN(const client::SearchResult result,
                   client.Search(options.collection, request));
  if (session.json()) {
    return PrintLine(SearchJson(result, ""));
  }
  if (result.hits.empty()) {
    Note(result.cut_off.has_value() ? NoHitsText(*result.cut_off) : "no hits");
  } else {
    HitTable table(options, /*many=*/false);
    table.Add(0, result);
    RETURN_IF_ERROR(table.PrintAll());
  }
  RETURN_IF_ERROR(PrintHighlights(result.hits));
  if (!result.hits.empty() && !result.hits.front().sources.empty()) {
    RETURN_IF_ERROR(PrintSources(result.hits));
  }
  if (result.explanation.has_value()) {
    RETURN_IF_ERROR(PrintExplanation(*result.explanation));
  }
  RETURN_IF_ERROR(FlushOutput());
  if (ErrorIsTerminal()) {
    Note(absl::StrCat(result.hits.size(), " hits in ",
                      HumanTime(result.server_time), " on the server",
                      RecallText(result.expected_recall)));
  }
  return absl::OkStatus();
}

absl::Status PrintBatch(const Session& session, const SearchOptions& options,
                        uint64_t first,
                        const std::vector<client::SearchResult>& results) {
  HitTable table(options, /*many=*/true);
  for (size_t i = 0; i < results.size(); ++i) {
    if (session.json()) {
      RETURN_IF_ERROR(
          PrintLine(SearchJson(results[i], absl::StrCat(first + i))));
    } else {
      table.Add(first + i, results[i]);
    }
  }
  return session.json() ? absl::OkStatus() : table.PrintAll();
}

absl::Status SearchMany(const Session& session, client::Client& client,
                        const SearchOptions& options,
                        const QuerySource& queries) {
  const uint64_t hits = std::max<uint64_t>(
      1, uint64_t{options.request.limit} + options.request.offset);
  const uint64_t step =
      std::clamp<uint64_t>(std::min(options.batch, kHitsPerBatchMax / hits), 1,
                           kSearchesPerBatchMax);
  absl::Duration waited;
  absl::Duration served;
  for (uint64_t first = 0; first < queries.size(); first += step) {
    std::vector<client::SearchRequest> requests(
        std::min(step, queries.size() - first), options.request);
    for (size_t i = 0; i < requests.size(); ++i) {
      ASSIGN_OR_RETURN(requests[i].target, queries.Vector(first + i));
    }
    const absl::Time start = absl::Now();
    ASSIGN_OR_RETURN(const std::vector<client::SearchResult> results,
                     client.SearchBatch(options.collection, requests));
    waited += absl::Now() - start;
    for (const client::SearchResult& result : results) {
      served += result.server_time;
    }
    RETURN_IF_ERROR(PrintBatch(session, options, first, results));
  }
  RETURN_IF_ERROR(FlushOutput());
  const auto count = static_cast<double>(queries.size());
  const double seconds = std::max(absl::ToDoubleSeconds(waited), 1e-9);
  Note(absl::StrFormat(
      "%s searches in %s: %s/s, %d a call, %s each on the server",
      WithCommas(queries.size()), HumanTime(waited),
      WithCommas(static_cast<uint64_t>(count / seconds)), step,
      HumanTime(queries.size() == 0 ? absl::ZeroDuration() : served / count)));
  return absl::OkStatus();
}

absl::Status ListQueries(const SearchOptions& options) {
  if (options.query.text_file.empty()) {
    return UsageError("--list-queries needs --query-text-file");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                   ReadTexts(options.query.text_file));
  for (const std::string& line : lines) {
    RETURN_IF_ERROR(PrintLine(Printable(line)));
  }
  return absl::OkStatus();
}

// "title^2".
absl::StatusOr<client::TextRequestField> ParseTextRequestField(
    const std::string& text) {
  const size_t caret = text.find('^');
  client::TextRequestField field{.name = text.substr(0, caret)};
  if (caret != std::string::npos &&
      !absl::SimpleAtof(text.substr(caret + 1), &field.weight)) {
    return UsageError(absl::StrCat("--text-field '", text,
                                   "': expected NAME or NAME^WEIGHT"));
  }
  return field;
}

absl::StatusOr<client::Fusion> FusionOf(const SearchOptions& options) {
  client::Fusion fusion{.vector_weight = options.vector_weight,
                        .text_weight = options.text_weight,
                        .sparse_weight = options.sparse_weight};
  if (options.fusion == "linear") {
    fusion.method = client::FusionMethod::kLinear;
  } else if (options.fusion != "rrf") {
    return UsageError(absl::StrCat("--fusion '", options.fusion,
                                   "': expected rrf or linear"));
  }
  using Normaliser = client::Normaliser;
  const std::map<std::string, Normaliser> normalisers = {
      {"", Normaliser::kTheoreticalMinimum},
      {"none", Normaliser::kNone},
      {"min-max", Normaliser::kMinMax},
      {"z-score", Normaliser::kZScore},
      {"dbsf", Normaliser::kDbsf},
      {"theoretical-minimum", Normaliser::kTheoreticalMinimum}};
  const auto found = normalisers.find(options.normaliser);
  if (found == normalisers.end()) {
    return UsageError(absl::StrCat("--normaliser '", options.normaliser,
                                   "': expected none, min-max, z-score, dbsf "
                                   "or theoretical-minimum"));
  }
  fusion.normaliser = found->second;
  return fusion;
}

absl::Status SetText(SearchOptions* options) {
  if (options->text.empty()) {
    return absl::OkStatus();
  }
  client::TextRequest& text = options->request.text.emplace();
  text.query = options->text;
  for (const std::string& field : options->text_fields) {
    ASSIGN_OR_RETURN(client::TextRequestField asked,
                     ParseTextRequestField(field));
    text.fields.push_back(std::move(asked));
  }
  return absl::OkStatus();
}

absl::Status SetSparse(SearchOptions* options) {
  if (options->sparse_vector.empty()) {
    return absl::OkStatus();
  }
  absl::StatusOr<JsonSparseVector> vector =
      ParseJsonSparseVector(options->sparse_vector);
  if (!vector.ok()) {
    return UsageError(
        absl::StrCat("--sparse-vector: ", vector.status().message()));
  }
  options->request.sparse = client::SparseRequest{
      options->sparse_field, client::SparseVector{std::move(vector->indices),
                                                  std::move(vector->weights)}};
  return absl::OkStatus();
}

// Needs the collection, which knows what its ids are.
absl::Status SetSparseId(client::Client& client, SearchOptions* options) {
  if (options->sparse_id.empty()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<client::PointId> ids,
                   ParseIds(client, options->collection, {options->sparse_id}));
  options->request.sparse =
      client::SparseRequest{options->sparse_field, ids[0]};
  return absl::OkStatus();
}

absl::Status RunSearch(Session& session, SearchOptions options) {
  if (options.list_queries) {
    return ListQueries(options);
  }
  if (options.collection.empty()) {
    return UsageError("COLLECTION is required");
  }
  session.NoteFilter(options.request.filter);
  RETURN_IF_ERROR(SetText(&options));
  if (!options.cut_off.empty()) {
    if (options.request.cut_off.has_value()) {
      return UsageError("--cut-off excludes --min-score");
    }
    ASSIGN_OR_RETURN(options.request.cut_off, ParseCutOff(options.cut_off));
  }
  RETURN_IF_ERROR(SetSparse(&options));
  if (!options.sparse_vector.empty() && !options.sparse_id.empty()) {
    return UsageError("--sparse-query and --sparse-vector: name one");
  }
  const bool has_other = !options.text.empty() ||
                         !options.sparse_vector.empty() ||
                         !options.sparse_id.empty();
  if (has_other) {
    ASSIGN_OR_RETURN(options.request.fusion, FusionOf(options));
  }
  if (options.row >= 0) {
    options.query.row = static_cast<uint64_t>(options.row);
  }
  const client::HighlightRequest& highlighting = options.highlighting;
  if (options.highlight || !highlighting.fields.empty() ||
      highlighting.fragment_bytes != 0 || highlighting.fragments != 0 ||
      highlighting.whole_texts) {
    options.request.highlight = highlighting;
  }
  const bool shows_payload = options.payload || !options.fields.empty();
  options.request.projection.payload = shows_payload;
  if (options.vectors) {
    options.request.projection.vectors = {"*"};
  }
  if (!options.id.empty()) {
    if (!options.query.vector.empty() || !options.query.vector_file.empty()) {
      return UsageError(
          "--id excludes --vector and --vector-file: name one to search for");
    }
    ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
    RETURN_IF_ERROR(SetSparseId(*client, &options));
    ASSIGN_OR_RETURN(const std::vector<client::PointId> ids,
                     ParseIds(*client, options.collection, {options.id}));
    options.request.target = ids[0];
    return SearchOne(session, *client, options, options.request);
  }
  if (has_other && options.query.vector.empty() &&
      options.query.vector_file.empty()) {
    ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
    RETURN_IF_ERROR(SetSparseId(*client, &options));
    return SearchOne(session, *client, options, options.request);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<QuerySource> queries,
                   OpenQuerySource(options.query));
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  RETURN_IF_ERROR(SetSparseId(*client, &options));
  if (queries->single()) {
    ASSIGN_OR_RETURN(options.request.target, queries->Vector(0));
    return SearchOne(session, *client, options, options.request);
  }
  return SearchMany(session, *client, options, *queries);
}

void AddQueryOptions(CLI::App* command, SearchOptions* options) {
  command->add_option("--vector", options->query.vector,
                      "A JSON array; - reads arrays from standard input, one "
                      "a line");
  command->add_option("--vector-file", options->query.vector_file,
                      ".npy, .fvecs, .json or - (as --vector -); all rows are "
                      "searched for unless --row or --query picks one");
  command
      ->add_option("--row", options->row,
                   "Row of --vector-file, the first is 0")
      ->check(CLI::Range(int64_t{0}, INT64_MAX));
  command->add_option("--id,--vector-query", options->id,
                      "Search near this stored point, which is left out");
  command->add_option("--text", options->text,
                      "Words to look for in text fields: linux \"file "
                      "system\"~2 +kernel -windows pref*; with a vector or an "
                      "id, both are fused");
  command
      ->add_option("--text-field", options->text_fields,
                   "NAME[^WEIGHT], several times for several: text fields "
                   "that --text asks (default: all)")
      ->allow_extra_args(false);
  command
      ->add_option("--fusion", options->fusion,
                   "rrf (reciprocal ranks) or linear, of vector, text and "
                   "sparse vector")
      ->capture_default_str();
  command->add_option("--vector-weight", options->vector_weight,
                      "Weight of the vector in the fusion");
  command->add_option("--text-weight", options->text_weight,
                      "Weight of the text in the fusion");
  command->add_option("--sparse-vector", options->sparse_vector,
                      "A sparse vector to search for, alone or fused with the "
                      "others: {\"indices\": [3, 17], \"weights\": [0.5, 1]}");
  command->add_option("--sparse-query", options->sparse_id,
                      "Instead: the sparse vector of this stored point, which "
                      "is left out");
  command->add_option("--sparse-field", options->sparse_field,
                      "Sparse field (default: the only one)");
  command->add_option("--sparse-weight", options->sparse_weight,
                      "Weight of the sparse vector in the fusion");
  command->add_option("--normaliser", options->normaliser,
                      "Of a linear fusion: none, min-max, z-score, dbsf or "
                      "theoretical-minimum (default)");
  command->add_option("--candidates", options->request.candidates,
                      "Points that each of them finds (default: 100, "
                      "1,000 or 10,000, by the page)");
  command->add_option("--query-text-file", options->query.text_file,
                      "Text file whose line i says what row i of "
                      "--vector-file is");
  command->add_option("--query", options->query.text,
                      "Pick the row by its line in --query-text-file");
  command->add_flag("--list-queries", options->list_queries,
                    "Print the lines of --query-text-file and end");
}

void AddAnswerOptions(CLI::App* command, SearchOptions* options) {
  client::SearchRequest* request = &options->request;
  command->add_option("--field", request->field,
                      "Vector field (default: the only one)");
  command->add_option("--filter", request->filter,
                      "Only points that match: section = \"games\" and size < "
                      "1_000_000");
  command->add_option_function<double>(
      "--min-score",
      [request](const double& score) {
        request->cut_off = client::MinScore{score};
      },
      "Only hits with this score or more, all of them up to the limit");
  command->add_option("--cut-off", options->cut_off,
                      "Where the answer ends: min:SCORE (as --min-score), or "
                      "gap (after the largest gap between scores), "
                      "gap:size=0.05,ratio=5 (after the first that is as "
                      "great), with n=100 (best points looked at) and empty "
                      "(no hits without such a gap); or adapter:NAME "
                      "(`sextant adapter`)");
  command->add_option_function<double>(
      "--diversity",
      [request](const double& strength) { request->diversity = strength; },
      "Put unlike hits beside each other: 0 (the order of scores) to 1");
  command->add_option("--diversity-candidates", request->diversity_candidates,
                      "Best points to choose from, up to 1,000 (default: four "
                      "times the hits)");
  command->add_option("--group-by", request->group_by,
                      "Payload field: the best hits of each of its values; "
                      "--limit counts groups");
  command->add_option("--hits-per-group", request->hits_per_group,
                      "1 to 100 (default: 1)");
  command->add_option("--group-candidates", request->group_candidates_max,
                      "Best points to look at for groups, at most (default: "
                      "1,000)");
  command->add_option("-k,--limit", request->limit, "Hits, 1 to 10,000")
      ->capture_default_str();
  command->add_option("--offset", request->offset, "Hits to skip");
  command->add_option("--recall-target", request->recall_target,
                      "Share of the exact best to find, above 0, at most 1 "
                      "(default: the server's, 0.95)");
  command->add_option("--ef", request->ef,
                      "Beam width of the graph search instead, 1 to 10,000; "
                      "more is better recall, slower");
  command->add_flag("--exact", request->exact,
                    "Compare with every point; recall is 1");
  command->add_option("--normalizer", request->normalizer,
                      "Correct scores for hubness by this normalizer; none: "
                      "not even by the field's default");
  command->add_flag("--explain", request->explain,
                    "Show the plan and its measured stages");
  command
      ->add_option("--fields", options->fields,
                   "Payload keys to show as columns, a,b,c")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--payload", options->payload, "Show whole payloads");
  command->add_flag("--highlight", options->highlight,
                    "Show where the texts of the hits match --text");
  client::HighlightRequest* highlight = &options->highlighting;
  command
      ->add_option("--highlight-fields", highlight->fields,
                   "Text fields of which to show it, a,b,c (default: all that "
                   "--text asks)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--fragment-bytes", highlight->fragment_bytes,
                      "Length of a highlight, up to 65,536 (default: 160)");
  command->add_option("--fragments", highlight->fragments,
                      "Highlights of a field, up to 16 (default: 1)");
  command->add_flag("--whole-texts", highlight->whole_texts,
                    "Highlight whole texts");
  command->add_flag("--vectors", options->vectors,
                    "Return the vectors too (JSON output)");
  command
      ->add_option("--batch", options->batch,
                   "Searches of a call when there are many, 1 to 1,000")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
}

}  // namespace

void AddSearchCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand(
      "search",
      "Find points by vector, by text, by sparse vector, or by "
      "several of them");
  auto options = std::make_shared<SearchOptions>();
  command->add_option("COLLECTION", options->collection, "Where to search");
  AddQueryOptions(command, options.get());
  AddAnswerOptions(command, options.get());
  command->footer(
      "Examples:\n"
      "  sextant search packages --id 42 --fields name,description\n"
      "  sextant search packages --vector-file demo/queries.npy --row 0 "
      "--limit 5\n"
      "  sextant search packages --vector-file demo/queries.npy \\\n"
      "      --query-text-file demo/queries.txt --query 'edit photos' --fields "
      "name,section\n"
      "  sextant search packages --id 42 --filter 'section in (\"graphics\", "
      "\"video\") and size < 1_000_000'\n"
      "  sextant search packages --text 'edit photos' --fields name\n"
      "  sextant search packages --text 'edit photos' --highlight "
      "--fragments 2\n"
      "  sextant search packages --text 'edit photos' --vector-query 42 "
      "--fusion rrf\n"
      "  sextant search packages --id 42 --group-by section --hits-per-group "
      "3\n"
      "  sextant search packages --id 42 --diversity 0.5\n"
      "  sextant search packages --id 42 --cut-off gap\n"
      "  sextant search packages --id 42 --cut-off gap:ratio=10,empty\n"
      "  sextant search docs --vector-file q.npy --cut-off adapter:good\n"
      "  sextant search docs --vector '[0.1, 0.7, 0.2]' --explain\n"
      "  sextant search docs --sparse-vector '{\"indices\": [3, 17], "
      "\"weights\": [0.5, 1.25]}' --vector-query 42\n"
      "  sextant search docs --vector-file queries.npy --output json > "
      "answers.jsonl\n"
      "  embed 'a text' | sextant search docs --vector -");
  command->callback([options, action] {
    *action = [options](Session& session) {
      return RunSearch(session, *options);
    };
  });
}

}  // namespace sextant::cli
