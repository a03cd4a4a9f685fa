// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/value_names.h"

namespace sextant::cli {
namespace {

std::string BuildState(const client::IndexStats& index) {
  if (!index.building) {
    return "ready";
  }
  if (index.build_rows_total == 0) {
    return "building";
  }
  return absl::StrFormat("building %d %%",
                         100 * index.build_rows_done / index.build_rows_total);
}

absl::StatusOr<std::vector<client::CollectionInfo>> Infos(
    client::Client& client, const std::vector<std::string>& names) {
  if (names.empty()) {
    return client.ListCollections();
  }
  std::vector<client::CollectionInfo> infos;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(client::CollectionInfo info, client.GetCollection(name));
    infos.push_back(std::move(info));
  }
  return infos;
}

// "int8 (loss 0.10 %)", or "title int8 9,000 rows (loss 0.10 %), title float
// 500 rows" where it takes more words.
std::string EncodingsText(const client::IndexStats& index) {
  const bool is_one = index.encodings.size() == 1;
  return absl::StrJoin(
      index.encodings, ", ",
      [is_one](std::string* out, const client::EncodingUse& use) {
        const std::string name = EncodingName(use.encoding);
        absl::StrAppend(out, is_one
                                 ? name
                                 : absl::StrCat(use.field, " ", name, " ",
                                                WithCommas(use.rows), " rows"));
        if (use.encoding != client::Encoding::kFloat) {
          absl::StrAppendFormat(out, " (loss %.2f %%)", 100 * use.recall_loss);
        }
      });
}

Table MemoryTable(const std::vector<client::CollectionInfo>& infos) {
  Table table({{"memory of"},
               {"graph", Align::kRight},
               {"codes", Align::kRight},
               {"vectors", Align::kRight},
               {"mapped vectors", Align::kRight},
               {"disk vectors", Align::kRight},
               {"ids", Align::kRight},
               {"columns", Align::kRight},
               {"windows", Align::kRight},
               {"texts", Align::kRight},
               {"sparse", Align::kRight},
               {"growing", Align::kRight},
               {"searched by"}});
  for (const client::CollectionInfo& info : infos) {
    const client::IndexMemory& memory = info.index.memory;
    table.AddRow({info.name, HumanBytes(memory.graph), HumanBytes(memory.codes),
                  HumanBytes(memory.vectors), HumanBytes(memory.mapped_vectors),
                  HumanBytes(memory.disk_vectors), HumanBytes(memory.ids),
                  HumanBytes(memory.columns), HumanBytes(memory.windows),
                  HumanBytes(memory.texts), HumanBytes(memory.sparse),
                  HumanBytes(info.index.growing_bytes),
                  EncodingsText(info.index)});
  }
  return table;
}

absl::Status Run(Session& session, const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::CollectionInfo> infos,
                   Infos(*client, names));
  Table table({{"collection"},
               {"points", Align::kRight},
               {"not indexed", Align::kRight},
               {"dead rows", Align::kRight},
               {"segments", Align::kRight},
               {"on disk", Align::kRight},
               {"index"}});
  for (const client::CollectionInfo& info : infos) {
    if (session.json()) {
      RETURN_IF_ERROR(PrintLine(CollectionJson(info)));
      continue;
    }
    const client::IndexStats& index = info.index;
    table.AddRow({info.name, WithCommas(info.point_count),
                  WithCommas(index.unindexed_points),
                  WithCommas(index.dead_rows),
                  absl::StrCat(index.sealed_segments),
                  HumanBytes(index.sealed_bytes), BuildState(index)});
  }
  if (session.json()) {
    return absl::OkStatus();
  }
  if (table.empty()) {
    Note("no collections");
    return absl::OkStatus();
  }
  return Print(absl::StrCat(table.Render(OutputWidth()), "\n",
                            MemoryTable(infos).Render(OutputWidth())));
}

}  // namespace

void AddStatsCommand(CLI::App& app, Action* action) {
  CLI::App* command =
      app.add_subcommand("stats", "Show sizes and index state of collections");
  auto names = std::make_shared<std::vector<std::string>>();
  command->add_option("COLLECTION", *names, "Which (default: all)");
  command->footer(
      "Examples:\n"
      "  sextant stats\n"
      "  watch sextant stats packages\n"
      "\n"
      "not indexed: points searched by exact scan until their graph is built.\n"
      "dead rows: deleted or overwritten, reclaimed by the next merge.\n"
      "on disk: memory-mapped index files, without the stored points.\n"
      "mapped vectors: in those files; they take memory while there is room.\n"
      "columns: of payload fields, mostly in those files too.\n"
      "windows: codes in the order of payload fields with a window.\n"
      "texts: words of text fields, in the mapped file.\n"
      "growing: newest points, searched by scan.\n"
      "searched by: what graph searches read of a vector; of the 10 nearest,\n"
      "how many that lost on a sample when the segment was sealed.");
  command->callback([names, action] {
    *action = [names](Session& session) { return Run(session, *names); };
  });
}

}  // namespace sextant::cli
