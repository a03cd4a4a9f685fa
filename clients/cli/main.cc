// SPDX-License-Identifier: Apache-2.0
// sextant: the command line client.
#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/version.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/output.h"
#include "clients/cli/session.h"
#include "clients/cli/text.h"
#include "filters/filter_text.h"

namespace sextant::cli {
namespace {

constexpr char kFooter[] =
    "Examples:\n"
    "  sextant collection create docs --dimension 384\n"
    "  sextant import docs vectors.npy\n"
    "  sextant search docs --id 42 --limit 5\n"
    "\n"
    "Results go to standard output, progress and errors to standard error.\n"
    "Exit: 0 done, 1 error, 2 wrong command line, 3 not found, 4 no server or\n"
    "no answer in time, 5 wrong input file.";

void AddGlobalOptions(CLI::App& app, GlobalOptions* options) {
  app.add_option("--server", options->server,
                 "Address of sextantd, host:port or unix:/path")
      ->envname("SEXTANT_SERVER")
      ->capture_default_str();
  app.add_option("--timeout", options->timeout_s,
                 "Seconds that a request may take (not a whole import)")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  app.add_option("--output", options->output,
                 "table or json (one object a "
                 "line)")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.set_version_flag("--version", absl::StrCat("sextant ", Version()));
}

int Run(int argc, char** argv) {
  CLI::App app("Command line client of Sextant, a vector search server",
               "sextant");
  app.require_subcommand(1);
  app.fallthrough();  // --server and --output may stand after the command
  app.footer(kFooter);
  GlobalOptions options;
  Action action;
  AddGlobalOptions(app, &options);
  AddCollectionCommand(app, &action);
  AddImportCommand(app, &action);
  AddPointCommands(app, &action);
  AddSearchCommand(app, &action);
  AddFacetsCommand(app, &action);
  AddAnalyzeCommand(app, &action);
  AddBankCommand(app, &action);
  AddNormalizerCommand(app, &action);
  AddHubnessCommand(app, &action);
  AddMineCommand(app, &action);
  AddAdapterCommand(app, &action);
  AddQueriesCommand(app, &action);
  AddStatsCommand(app, &action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    const std::vector<std::string> rest = app.remaining(/*recurse=*/true);
    if (!rest.empty()) {
      Note(absl::StrCat("sextant: unknown command '", rest[0],
                        "'; run it with --help for all commands"));
      return static_cast<int>(ExitCode::kUsage);
    }
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(ExitCode::kOk)
                                : static_cast<int>(ExitCode::kUsage);
  }
  Session session(options);
  absl::Status status = action(session);
  const absl::Status flushed = FlushOutput();
  if (status.ok()) {
    status = flushed;
  }
  const ExitCode code = ExitCodeOf(status);
  if (code != ExitCode::kOk && code != ExitCode::kBrokenPipe) {
    Note(absl::StrCat("sextant: ", ErrorText(status)));
    const std::string caret =
        FilterErrorCaret(session.filter(), status.message());
    if (!caret.empty()) {
      Note(absl::StripSuffix(caret, "\n"));
    }
  }
  return static_cast<int>(code);
}

}  // namespace
}  // namespace sextant::cli

int main(int argc, char** argv) {
  // A reader that goes away is an error of the write that meets it.
  std::signal(SIGPIPE, SIG_IGN);
  sextant::cli::SetUtf8Locale();
  try {
    return sextant::cli::Run(argc, argv);
  } catch (const std::exception& error) {
    sextant::cli::Note(absl::StrCat("sextant: ", error.what()));
    return static_cast<int>(sextant::cli::ExitCode::kError);
  }
}
