// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <variant>
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
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

struct FacetsOptions {
  std::string collection;
  client::FacetRequest request;
};

absl::Status Run(Session& session, const FacetsOptions& options) {
  session.NoteFilter(options.request.filter);
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::FacetResult result,
                   client->Facets(options.collection, options.request));
  if (session.json()) {
    return PrintLine(FacetsJson(result));
  }
  Table table({{options.request.field}, {"points", Align::kRight}});
  for (const client::Facet& facet : result.facets) {
    table.AddRow({FieldValueText(facet.value), WithCommas(facet.points)});
  }
  if (!table.empty()) {
    RETURN_IF_ERROR(Print(table.Render(OutputWidth())));
  }
  RETURN_IF_ERROR(FlushOutput());
  Note(absl::StrCat(WithCommas(result.distinct), " values in ",
                    WithCommas(result.points), " points, ",
                    WithCommas(result.absent), " without"));
  return absl::OkStatus();
}

}  // namespace

void AddFacetsCommand(CLI::App& app, Action* action) {
  CLI::App* command = app.add_subcommand(
      "facets", "Show the values of a payload field that most points have");
  auto options = std::make_shared<FacetsOptions>();
  command->add_option("COLLECTION", options->collection, "The collection")
      ->required();
  command->add_option("FIELD", options->request.field, "A payload field")
      ->required();
  command->add_option("--filter", options->request.filter,
                      "Only points that match");
  command->add_option("--limit", options->request.limit, "Values, 1 to 1,000")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  sextant facets packages section\n"
      "  sextant facets packages tags --filter 'section = \"games\"' --limit "
      "5");
  command->callback([options, action] {
    *action = [options](Session& session) { return Run(session, *options); };
  });
}

}  // namespace sextant::cli
