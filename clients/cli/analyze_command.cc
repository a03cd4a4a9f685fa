// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output.h"
#include "clients/cli/table.h"

namespace sextant::cli {
namespace {

struct AnalyzeOptions {
  std::string collection;
  std::string field;
  std::string text;
};

absl::Status Run(Session& session, const AnalyzeOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(
      const std::vector<client::Token> tokens,
      client->Analyze(options.collection, options.field, options.text));
  if (session.json()) {
    std::vector<std::string> elements;
    for (const client::Token& token : tokens) {
      elements.push_back(JsonObject()
                             .AddText("term", token.term)
                             .AddNumber("position", uint64_t{token.position})
                             .AddNumber("begin", uint64_t{token.begin})
                             .AddNumber("end", uint64_t{token.end})
                             .Text());
    }
    return PrintLine(JsonObject().AddRaw("tokens", JsonArray(elements)).Text());
  }
  Table table({{"term"},
               {"position", Align::kRight},
               {"begin", Align::kRight},
               {"end", Align::kRight}});
  for (const client::Token& token : tokens) {
    table.AddRow({token.term, absl::StrCat(token.position),
                  absl::StrCat(token.begin), absl::StrCat(token.end)});
  }
  return table.empty() ? absl::OkStatus() : Print(table.Render(OutputWidth()));
}

}  // namespace

void AddAnalyzeCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand(
      "analyze", "Show the tokens that a text becomes in a text field");
  auto options = std::make_shared<AnalyzeOptions>();
  command->add_option("COLLECTION", options->collection, "The collection")
      ->required();
  command->add_option("FIELD", options->field, "A text field")->required();
  command->add_option("TEXT", options->text, "The text")->required();
  command->footer(
      "Example:\n"
      "  sextant analyze packages description 'Editing photos'");
  command->callback([options, action] {
    *action = [options](Session& session) { return Run(session, *options); };
  });
}

}  // namespace sextant::cli
