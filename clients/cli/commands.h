// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cli/session.h"
#include "clients/cpp/types.h"

namespace CLI {
class App;
}

// Each function adds commands with their options to the command line; parsing
// one sets `*action`, which outlives the parsing.
namespace sextant::cli {

void AddBankCommand(CLI::App& app, Action* action);
void AddCollectionCommand(CLI::App& app, Action* action);
void AddFacetsCommand(CLI::App& app, Action* action);
void AddAnalyzeCommand(CLI::App& app, Action* action);
void AddHubnessCommand(CLI::App& app, Action* action);
void AddImportCommand(CLI::App& app, Action* action);
void AddMineCommand(CLI::App& app, Action* action);
void AddNormalizerCommand(CLI::App& app, Action* action);
void AddAdapterCommand(CLI::App& app, Action* action);
void AddQueriesCommand(CLI::App& app, Action* action);
void AddPointCommands(CLI::App& app, Action* action);
void AddSearchCommand(CLI::App& app, Action* action);
void AddStatsCommand(CLI::App& app, Action* action);
// A command of `sextant collection`.
void AddSetTextFieldCommand(CLI::App* collection, Action* action);
// A command of `sextant normalizer`.
void AddTuneCommand(CLI::App* normalizer, Action* action);

// The vector field of a collection made without a name for it.
inline constexpr char kDefaultField[] = "embedding";

// "cosine", "ip" or "l2".
absl::StatusOr<client::Metric> ParseMetric(absl::string_view name);
std::string MetricName(client::Metric metric);

}  // namespace sextant::cli
