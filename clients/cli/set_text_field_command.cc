// SPDX-License-Identifier: Apache-2.0
// `sextant collection set-text-field`.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output.h"
#include "clients/cli/text.h"
#include "clients/cli/value_names.h"
#include "clients/cli/wait_for_points.h"

namespace sextant::cli {
namespace {

struct SetTextFieldOptions {
  std::string collection;
  std::string field;
  std::string analyzer;
  std::vector<std::string> stop_words;
  bool keep_accents = false;
  uint32_t min_gram = 0;
  uint32_t max_gram = 0;
  bool positions = false;
  bool no_positions = false;
  bool no_wait = false;
};

absl::StatusOr<client::TextFieldUpdate> UpdateOf(
    const SetTextFieldOptions& options) {
  client::TextFieldUpdate update{.field = options.field};
  if (!options.analyzer.empty()) {
    client::Analyzer analyzer = ParseAnalyzer(options.analyzer);
    analyzer.stop_words = options.stop_words;
    analyzer.keep_accents = options.keep_accents;
    analyzer.min_gram = options.min_gram;
    analyzer.max_gram = options.max_gram;
    update.analyzer = std::move(analyzer);
  } else if (!options.stop_words.empty() || options.keep_accents ||
             options.min_gram != 0 || options.max_gram != 0) {
    return UsageError(
        "--stop-word, --keep-accents, --min-gram and --max-gram are parts of "
        "an analyser: --analyzer is needed, too");
  }
  if (options.positions || options.no_positions) {
    update.positions = options.positions;
  }
  if (!update.analyzer.has_value() && !update.positions.has_value()) {
    return UsageError(
        "nothing to change: --analyzer, --positions or --no-positions");
  }
  return update;
}

std::optional<PointsDone> IndexedOf(const client::CollectionInfo& info) {
  if (!info.text_field_change.has_value()) {
    return std::nullopt;
  }
  return PointsDone{info.text_field_change->points_done,
                    info.text_field_change->points_total};
}

std::string OutcomeText(const client::CollectionInfo& info,
                        const std::string& name) {
  if (info.text_field_change.has_value()) {
    return absl::StrCat("'", name, "' is ",
                        BecomingText(*info.text_field_change));
  }
  std::string text;
  for (const client::TextField& field : info.schema.text_fields) {
    if (field.name == name) {
      text = absl::StrCat("'", name, "' of collection '", info.name, "' is ",
                          TextFieldText(field));
    }
  }
  if (info.index.payload_misfits > 0) {
    absl::StrAppend(&text, "; ", WithCommas(info.index.payload_misfits),
                    " stored values do not fit and count as absent");
  }
  return text;
}

absl::Status SetTextField(Session& session,
                          const SetTextFieldOptions& options) {
  ASSIGN_OR_RETURN(const client::TextFieldUpdate update, UpdateOf(options));
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(client::CollectionInfo info,
                   client->UpdateTextField(options.collection, update));
  if (!options.no_wait && info.text_field_change.has_value()) {
    ASSIGN_OR_RETURN(info, WaitForPoints(*client, std::move(info), IndexedOf));
  }
  return PrintLine(session.json() ? CollectionJson(info)
                                  : OutcomeText(info, options.field));
}

}  // namespace

void AddSetTextFieldCommand(CLI::App* collection, Action* action) {
  CLI::App* command = collection->add_subcommand(
      "set-text-field",
      "Analyse the texts of a text field in another way; searches go on as "
      "they were until all are indexed anew");
  auto options = std::make_shared<SetTextFieldOptions>();
  command->add_option("NAME", options->collection, "The collection")
      ->required();
  command->add_option("FIELD", options->field, "The text field")->required();
  command->add_option("--analyzer", options->analyzer,
                      "A language, like english, or standard, keyword, ngram "
                      "or edge-ngram");
  command
      ->add_option("--stop-word", options->stop_words,
                   "A word to leave out, several times for several; "
                   "_english_ stands for 33 English ones")
      ->allow_extra_args(false);
  command->add_flag("--keep-accents", options->keep_accents,
                    "Leave the marks over Latin and Greek letters");
  command->add_option("--min-gram", options->min_gram,
                      "Characters of the shortest n-gram, 1 to 32; default 2");
  command->add_option("--max-gram", options->max_gram,
                      "Characters of the longest n-gram, up to 32; default 3");
  CLI::Option* const positions =
      command->add_flag("--positions", options->positions,
                        "Keep where words stand, which phrases need");
  command
      ->add_flag("--no-positions", options->no_positions,
                 "Half the size, but phrases are refused")
      ->excludes(positions);
  command->add_flag("--no-wait", options->no_wait,
                    "Do not wait until the texts are indexed anew");
  command->footer(
      "Examples:\n"
      "  sextant collection set-text-field packages description \\\n"
      "      --analyzer english --stop-word _english_\n"
      "  sextant collection set-text-field packages name "
      "--analyzer edge-ngram \\\n"
      "      --min-gram 1 --max-gram 12 --no-wait\n"
      "  sextant collection set-text-field packages description "
      "--no-positions");
  command->callback([options, action] {
    *action = [options](Session& session) {
      return SetTextField(session, *options);
    };
  });
}

}  // namespace sextant::cli
