// SPDX-License-Identifier: Apache-2.0
// `sextant mine`.
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/json_text.h"
#include "clients/cli/mined_file.h"
#include "clients/cli/output.h"
#include "clients/cli/progress.h"
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

struct MineOptions {
  std::string source;
  std::string target;
  client::MineRequest request;
  std::string margin = "ratio";
  std::string mode = "max";
  std::string to;
  bool resume = false;
};

const std::map<std::string, client::MarginKind>& Margins() {
  static const auto& margins = *new std::map<std::string, client::MarginKind>{
      {"ratio", client::MarginKind::kRatio},
      {"distance", client::MarginKind::kDistance},
      {"absolute", client::MarginKind::kAbsolute}};
  return margins;
}

const std::map<std::string, client::MiningMode>& Modes() {
  static const auto& modes = *new std::map<std::string, client::MiningMode>{
      {"max", client::MiningMode::kMax},
      {"forward", client::MiningMode::kForward},
      {"backward", client::MiningMode::kBackward},
      {"intersection", client::MiningMode::kIntersection}};
  return modes;
}

// What is mined, for the state of the file.
std::string WhatOf(const Session& session, const MineOptions& options) {
  const client::MineRequest& request = options.request;
  return absl::StrCat(
      session.options().server, " ", options.source, " ", options.target, " ",
      request.source_field, " ", request.target_field, " ", options.margin, " ",
      options.mode, " ", request.k, " ", request.candidates, " ",
      request.threshold.has_value() ? absl::StrCat(*request.threshold) : "all",
      request.exact ? " exact" : "");
}

// Pairs go to a file, or to standard output.
class Mining {
 public:
  explicit Mining(MinedFile* file) : file_(file), meter_(ErrorIsTerminal()) {
    state_.unit = "searches";
  }

  absl::Status Take(const client::MiningStep& step) {
    if (step.progress.has_value()) {
      state_.done = step.progress->done;
      state_.total = step.progress->total;
      // A resumed mining has its searches behind it.
      if (!began_) {
        state_.skipped = state_.done;
      }
      began_ = true;
      meter_.Show(state_);
      return file_ == nullptr ? absl::OkStatus()
                              : file_->Append({}, step.resume_token);
    }
    pairs_ += step.pairs.size();
    total_ = step.total;
    if (file_ != nullptr) {
      return file_->Append(step.pairs, step.resume_token);
    }
    for (const client::MinedPair& pair : step.pairs) {
      RETURN_IF_ERROR(Print(MinedLine(pair)));
    }
    return absl::OkStatus();
  }

  void Done() { meter_.Done(state_); }
  uint64_t pairs() const { return pairs_; }
  uint64_t total() const { return total_; }

 private:
  MinedFile* const file_;
  ProgressMeter meter_;
  ProgressState state_;
  bool began_ = false;
  uint64_t pairs_ = 0;
  uint64_t total_ = 0;
};

absl::Status Report(Session& session, const MineOptions& options,
                    const Mining& mining) {
  if (options.to.empty()) {
    return absl::OkStatus();  // the pairs are all that is on standard output
  }
  if (session.json()) {
    return PrintLine(JsonObject()
                         .AddText("file", options.to)
                         .AddNumber("pairs", mining.total())
                         .AddNumber("written", mining.pairs())
                         .Text());
  }
  std::string text =
      absl::StrCat(WithCommas(mining.total()), " pairs in ", options.to);
  if (mining.pairs() < mining.total()) {
    absl::StrAppend(&text, ", ", WithCommas(mining.pairs()), " of them now");
  }
  return PrintLine(text);
}

absl::Status Mine(Session& session, const MineOptions& options) {
  if (options.resume && options.to.empty()) {
    return UsageError("--resume needs --to FILE");
  }
  client::MineRequest request = options.request;
  request.margin = Margins().at(options.margin);
  request.mode = Modes().at(options.mode);
  std::unique_ptr<MinedFile> file;
  if (!options.to.empty()) {
    ASSIGN_OR_RETURN(file, MinedFile::Open(options.to, WhatOf(session, options),
                                           options.resume));
    request.resume_token = file->resume_token();
  }
  // A server that restarts is waited for.
  ASSIGN_OR_RETURN(const std::unique_ptr<client::Client> client,
                   session.ConnectPatiently());
  Mining mining(file.get());
  const absl::Status mined = client->MinePairs(
      options.source, options.target, request,
      [&mining](const client::MiningStep& step) { return mining.Take(step); },
      {.timeout = absl::InfiniteDuration()});
  mining.Done();
  if (!mined.ok() && file != nullptr && !file->resume_token().empty()) {
    Note(absl::StrCat("sextant: ", WithCommas(file->lines()), " pairs are in ",
                      options.to, "; --resume goes on there"));
  }
  RETURN_IF_ERROR(mined);
  if (file != nullptr) {
    RETURN_IF_ERROR(file->Finish());
  }
  return Report(session, options, mining);
}

template <typename Value>
CLI::Validator NameOf(const std::map<std::string, Value>& names) {
  std::vector<std::string> keys;
  for (const auto& [name, value] : names) {
    keys.push_back(name);
  }
  return CLI::IsMember(keys);
}

}  // namespace

void AddMineCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<MineOptions>();
  client::MineRequest* const request = &options->request;
  CLI::App* command = app.add_subcommand(
      "mine", "Pairs of points of two collections that belong together");
  command->add_option("SOURCE", options->source, "A collection")->required();
  command->add_option("TARGET", options->target,
                      "Another one; without it the source is paired with "
                      "itself");
  command->add_option("--to", options->to,
                      "File of JSON lines; else standard output");
  command->add_flag("--resume", options->resume,
                    "Go on where an earlier run with the same options and "
                    "--to ended");
  command
      ->add_option("--margin", options->margin, "ratio, distance or absolute")
      ->check(NameOf(Margins()))
      ->capture_default_str();
  command
      ->add_option("--mode", options->mode,
                   "max: each point in one pair; forward, backward, "
                   "intersection")
      ->check(NameOf(Modes()))
      ->capture_default_str();
  command->add_option("-k", request->k, "Neighbours of the means; 0: 4");
  command->add_option("--candidates", request->candidates,
                      "Neighbours that may make a pair; 0: 32");
  command->add_option_function<double>(
      "--threshold",
      [request](const double& threshold) { request->threshold = threshold; },
      "Only pairs of a greater score");
  command->add_option("--source-field", request->source_field, "Vector field");
  command->add_option("--target-field", request->target_field, "Vector field");
  command->add_flag("--exact", request->exact,
                    "Compare with every point, not by the index");
  command->footer(
      "Examples:\n"
      "  sextant mine english german --to pairs.jsonl --threshold 1.06\n"
      "  sextant mine english german --to pairs.jsonl --threshold 1.06 "
      "--resume\n"
      "  sextant mine docs --mode intersection | head   # near duplicates\n"
      "\n"
      "A line is {\"source\":17,\"target\":4,\"score\":1.21}, best scores "
      "first.");
  command->callback([options, action] {
    *action = [options](Session& session) { return Mine(session, *options); };
  });
}

}  // namespace sextant::cli
