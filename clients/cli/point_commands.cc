// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/formats/line_reader.h"

namespace sextant::cli {
namespace {

constexpr size_t kIdsPerCall = 10'000;

struct PointOptions {
  std::string collection;
  std::vector<std::string> ids;
  std::string ids_from;
  std::vector<std::string> fields;
  bool vectors = false;
  std::string filter;
  std::string order_by;
  bool descending = false;
  uint64_t limit = 100;
  uint32_t page_size = 1'000;
};

client::Projection ProjectionOf(const PointOptions& options) {
  client::Projection projection;
  projection.payload = true;
  if (options.vectors) {
    projection.vectors = {"*"};
  }
  return projection;
}

// Prints points as lines of JSON, or as one table.
absl::Status PrintPoints(const Session& session, const PointOptions& options,
                         const std::vector<client::Point>& points) {
  if (session.json()) {
    for (const client::Point& point : points) {
      RETURN_IF_ERROR(PrintLine(PointJson(point)));
    }
    return absl::OkStatus();
  }
  std::vector<Column> columns = {{"id"}};
  for (const std::string& field : options.fields) {
    columns.push_back({field});
  }
  if (options.fields.empty()) {
    columns.push_back({"payload"});
  }
  if (options.vectors) {
    columns.push_back({"vectors"});
  }
  Table table(columns);
  for (const client::Point& point : points) {
    std::vector<std::string> cells = {client::ToString(point.id)};
    if (options.fields.empty()) {
      cells.push_back(point.payload);
    } else {
      for (std::string& cell : PayloadCells(point.payload, options.fields)) {
        cells.push_back(std::move(cell));
      }
    }
    if (options.vectors) {
      client::Point only_vectors = {.id = point.id,
                                    .vectors = point.vectors,
                                    .payload = "",
                                    .sparse_vectors = point.sparse_vectors};
      cells.push_back(PointJson(only_vectors));
    }
    table.AddRow(cells);
  }
  return table.empty() ? absl::OkStatus() : Print(table.Render(OutputWidth()));
}

absl::StatusOr<std::vector<client::PointId>> AllIds(
    client::Client& client, const PointOptions& options) {
  std::vector<std::string> texts = options.ids;
  if (!options.ids_from.empty()) {
    absl::StatusOr<LineReader> lines = LineReader::Open(options.ids_from);
    RETURN_IF_ERROR(InputError(lines.status()));
    absl::string_view line;
    while (true) {
      const absl::StatusOr<bool> more = lines->Next(&line);
      RETURN_IF_ERROR(InputError(more.status()));
      if (!*more) {
        break;
      }
      if (!line.empty()) {
        texts.emplace_back(line);
      }
    }
  }
  if (texts.empty()) {
    return UsageError("no ids: name some, or a file with --ids-from");
  }
  return ParseIds(client, options.collection, texts);
}

absl::Status Get(Session& session, const PointOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::PointId> ids,
                   AllIds(*client, options));
  std::vector<client::Point> points;
  for (size_t at = 0; at < ids.size(); at += kIdsPerCall) {
    const auto part =
        std::span(ids).subspan(at, std::min(kIdsPerCall, ids.size() - at));
    ASSIGN_OR_RETURN(
        std::vector<client::Point> some,
        client->Get(options.collection, part, ProjectionOf(options)));
    std::move(some.begin(), some.end(), std::back_inserter(points));
  }
  RETURN_IF_ERROR(PrintPoints(session, options, points));
  absl::flat_hash_set<std::string> found;
  for (const client::Point& point : points) {
    found.insert(client::ToString(point.id));
  }
  for (const client::PointId& id : ids) {
    if (!found.contains(client::ToString(id))) {
      RETURN_IF_ERROR(FlushOutput());
      return absl::NotFoundError(
          absl::StrCat("collection '", options.collection, "' has no point ",
                       client::ToString(id)));
    }
  }
  return absl::OkStatus();
}

absl::Status PrintDeleted(const Session& session,
                          const client::DeleteResult& result,
                          absl::string_view text) {
  return PrintLine(session.json()
                       ? JsonObject()
                             .AddNumber("deleted", result.deleted)
                             .AddNumber("applied_seq", result.applied_seq)
                             .Text()
                       : std::string(text));
}

absl::Status DeleteMatching(Session& session, const PointOptions& options) {
  if (!options.ids.empty() || !options.ids_from.empty()) {
    return UsageError("--filter excludes ids and --ids-from");
  }
  session.NoteFilter(options.filter);
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::DeleteResult result,
                   client->DeleteMatching(options.collection, options.filter));
  return PrintDeleted(
      session, result,
      absl::StrCat("deleted ", WithCommas(result.deleted), " points"));
}

absl::Status Delete(Session& session, const PointOptions& options) {
  if (!options.filter.empty()) {
    return DeleteMatching(session, options);
  }
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::PointId> ids,
                   AllIds(*client, options));
  client::DeleteResult total;
  for (size_t at = 0; at < ids.size(); at += kIdsPerCall) {
    const auto part =
        std::span(ids).subspan(at, std::min(kIdsPerCall, ids.size() - at));
    ASSIGN_OR_RETURN(const client::DeleteResult result,
                     client->Delete(options.collection, part));
    total.deleted += result.deleted;
    total.applied_seq = result.applied_seq;
  }
  return PrintDeleted(session, total,
                      absl::StrCat("deleted ", WithCommas(total.deleted),
                                   " of ", WithCommas(ids.size()), " points"));
}

absl::Status Scroll(Session& session, const PointOptions& options) {
  if (options.descending && options.order_by.empty()) {
    return UsageError("--descending needs --order-by");
  }
  session.NoteFilter(options.filter);
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;
  client::ScrollOptions scroll;
  scroll.page_size =
      static_cast<uint32_t>(std::min<uint64_t>(options.page_size, left));
  scroll.projection = ProjectionOf(options);
  scroll.filter = options.filter;
  scroll.order_by = options.order_by;
  scroll.descending = options.descending;
  const auto cursor = client->Scroll(options.collection, scroll);
  while (left > 0) {
    ASSIGN_OR_RETURN(std::vector<client::Point> page, cursor->NextPage());
    if (page.empty()) {
      break;
    }
    page.resize(std::min<uint64_t>(page.size(), left));
    left -= page.size();
    RETURN_IF_ERROR(PrintPoints(session, options, page));
  }
  return absl::OkStatus();
}

absl::Status Count(Session& session, const PointOptions& options) {
  session.NoteFilter(options.filter);
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(
      const client::CountResult result,
      options.filter.empty()
          ? client->Count(options.collection)
          : client->CountMatching(options.collection, options.filter));
  if (session.json()) {
    return PrintLine(JsonObject()
                         .AddNumber("count", result.count)
                         .AddNumber("applied_seq", result.applied_seq)
                         .Text());
  }
  return PrintLine(absl::StrCat(result.count));
}

void AddCollectionOption(CLI::App* command, PointOptions* options) {
  command->add_option("COLLECTION", options->collection, "The collection")
      ->required();
}

void AddShowOptions(CLI::App* command, PointOptions* options) {
  command
      ->add_option("--fields", options->fields,
                   "Payload keys to show as columns, a,b,c (table)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--vectors", options->vectors, "Show the vectors too");
}

void AddIdOptions(CLI::App* command, PointOptions* options) {
  command->add_option("ID", options->ids, "Ids of points");
  command->add_option("--ids-from", options->ids_from,
                      "A file with one id a line, - = standard input");
}

void AddFilterOption(CLI::App* command, PointOptions* options,
                     const char* text) {
  command->add_option("--filter", options->filter, text);
}

using Run = absl::Status (*)(Session&, const PointOptions&);

std::function<void()> Chosen(const std::shared_ptr<PointOptions>& options,
                             Run run, Action* action) {
  return [options, run, action] {
    *action = [options, run](Session& session) {
      return run(session, *options);
    };
  };
}

}  // namespace

void AddPointCommands(CLI::App& app, Action* action) {
  auto get_options = std::make_shared<PointOptions>();
  CLI::App* get = app.add_subcommand("get", "Show points by id");
  AddCollectionOption(get, get_options.get());
  AddIdOptions(get, get_options.get());
  AddShowOptions(get, get_options.get());
  get->footer(
      "Examples:\n"
      "  sextant get packages 42 43 --fields name,description\n"
      "  sextant get packages 42 --vectors --output json");
  get->callback(Chosen(get_options, Get, action));

  auto delete_options = std::make_shared<PointOptions>();
  CLI::App* remove =
      app.add_subcommand("delete", "Delete points by id or filter");
  AddCollectionOption(remove, delete_options.get());
  AddIdOptions(remove, delete_options.get());
  AddFilterOption(remove, delete_options.get(),
                  "Instead of ids: all points that match");
  remove->footer(
      "Examples:\n"
      "  sextant delete packages 42 43\n"
      "  sextant delete packages --ids-from old.txt\n"
      "  sextant delete packages --filter 'section = \"oldlibs\"'");
  remove->callback(Chosen(delete_options, Delete, action));

  auto scroll_options = std::make_shared<PointOptions>();
  CLI::App* scroll =
      app.add_subcommand("scroll", "Show points by ascending id, or in order");
  AddCollectionOption(scroll, scroll_options.get());
  AddShowOptions(scroll, scroll_options.get());
  AddFilterOption(scroll, scroll_options.get(), "Only points that match");
  scroll->add_option("--order-by", scroll_options->order_by,
                     "A payload field instead of the id, not a keyword one");
  scroll->add_flag("--descending", scroll_options->descending,
                   "Largest first, with --order-by");
  scroll
      ->add_option("--limit", scroll_options->limit, "How many points, 0 = all")
      ->capture_default_str();
  scroll
      ->add_option("--page-size", scroll_options->page_size,
                   "Points of a request, 1 to 10,000")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  scroll->footer(
      "Examples:\n"
      "  sextant scroll packages --limit 20 --fields name,section\n"
      "  sextant scroll packages --filter 'section = \"games\"' --order-by "
      "size "
      "--descending\n"
      "  sextant scroll packages --limit 0 --vectors --output json > "
      "packages.jsonl   # can be imported again");
  scroll->callback(Chosen(scroll_options, Scroll, action));

  auto count_options = std::make_shared<PointOptions>();
  CLI::App* count = app.add_subcommand("count", "Count points, exactly");
  AddCollectionOption(count, count_options.get());
  AddFilterOption(count, count_options.get(), "Only points that match");
  count->footer(
      "Examples:\n"
      "  sextant count packages\n"
      "  sextant count packages --filter 'size < 1_000_000'");
  count->callback(Chosen(count_options, Count, action));
}

}  // namespace sextant::cli
