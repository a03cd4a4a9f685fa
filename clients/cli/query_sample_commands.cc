// SPDX-License-Identifier: Apache-2.0
// `sextant queries`.
#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/output.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/verb.h"
#include "clients/cli/wait_served.h"

namespace sextant::cli {
namespace {

struct SampleOptions {
  std::string collection;
  client::QuerySample sample;
  std::string bank;
  bool no_wait = false;
};

absl::Status Show(Session& session,
                  const std::vector<client::QuerySample>& samples) {
  if (session.json()) {
    nlohmann::json all = nlohmann::json::array();
    for (const client::QuerySample& sample : samples) {
      all.push_back({{"field", sample.field},
                     {"capacity", sample.capacity},
                     {"seed", sample.seed},
                     {"seen", sample.seen},
                     {"kept", sample.kept}});
    }
    return PrintLine(all.dump());
  }
  Table table({{"field"},
               {"capacity", Align::kRight},
               {"seen", Align::kRight},
               {"kept", Align::kRight}});
  for (const client::QuerySample& sample : samples) {
    table.AddRow({sample.field, WithCommas(sample.capacity),
                  WithCommas(sample.seen), WithCommas(sample.kept)});
  }
  return Print(table.Render(OutputWidth()));
}

absl::Status Set(Session& session, const SampleOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::QuerySample sample,
                   client->SetQuerySample(options.collection, options.sample));
  return Show(session, {sample});
}

absl::Status Stop(Session& session, const SampleOptions& options) {
  client::QuerySample off = options.sample;
  off.capacity = 0;
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  return client->SetQuerySample(options.collection, off).status();
}

absl::Status List(Session& session, const SampleOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::QuerySample> samples,
                   client->ListQuerySamples(options.collection));
  return Show(session, samples);
}

absl::Status Clear(Session& session, const SampleOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(
      const client::QuerySample sample,
      client->ClearQuerySample(options.collection, options.sample.field));
  return Show(session, {sample});
}

absl::Status PutBank(Session& session, const SampleOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(client::Bank bank,
                   client->PutBankOfQueries(
                       options.collection,
                       {.name = options.bank, .field = options.sample.field},
                       {}, client::ReturnWhen::kStored));
  if (!options.no_wait) {
    ASSIGN_OR_RETURN(bank, WaitServed(*client, options.collection, bank));
  }
  if (session.json()) {
    return PrintLine(nlohmann::json({{"name", bank.name},
                                     {"field", bank.field},
                                     {"version", bank.version},
                                     {"count", bank.count}})
                         .dump());
  }
  return PrintLine(absl::StrCat("bank ", bank.name, ": ",
                                WithCommas(bank.count), " vectors"));
}

struct Verb {
  const char* name;
  const char* what;
  absl::Status (*run)(Session&, const SampleOptions&);
};

CLI::App* AddVerb(CLI::App* noun, const Verb& verb,
                  const std::shared_ptr<SampleOptions>& options,
                  Action* action) {
  CLI::App* command = cli::AddVerb(noun, verb.name, verb.what, options);
  RunBy(command, options, verb.run, action);
  return command;
}

}  // namespace

void AddQueriesCommand(CLI::App& app, Action* action) {
  CLI::App* noun = app.add_subcommand(
      "queries", "Samples of the queries that searches bring");
  noun->require_subcommand(1);
  auto options = std::make_shared<SampleOptions>();
  const auto with_field = [&options](CLI::App* command) {
    command->add_option("--field", options->sample.field, "Vector field");
    return command;
  };
  CLI::App* sample = with_field(AddVerb(
      noun,
      {"sample", "Keep some of the query vectors from now on, or anew", &Set},
      options, action));
  sample
      ->add_option("--capacity", options->sample.capacity,
                   "Vectors that are kept, up to 100,000")
      ->required();
  sample->add_option("--seed", options->sample.seed, "Which are kept")
      ->capture_default_str();
  sample->footer(
      "Example:\n"
      "  sextant queries sample docs --capacity 5000\n"
      "  sextant queries bank docs asked    # later: a bank of what is kept");
  with_field(AddVerb(noun,
                     {"stop", "Keep none any more, and forget them", &Stop},
                     options, action));
  AddVerb(noun, {"list", "Show the samples of a collection", &List}, options,
          action);
  with_field(AddVerb(noun, {"clear", "Forget what was kept and go on", &Clear},
                     options, action));
  CLI::App* bank = with_field(
      AddVerb(noun, {"bank", "Make a bank of what is kept", &PutBank}, options,
              action));
  bank->add_option("NAME", options->bank, "The bank")->required();
  bank->add_flag("--no-wait", options->no_wait,
                 "Do not wait until searches meet it");
}

}  // namespace sextant::cli
