// SPDX-License-Identifier: Apache-2.0
//
// Commands that are a noun, a verb and a collection: sextant bank put docs ...

#pragma once

#include <memory>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/types/optional.h"

#include "clients/cli/session.h"

namespace sextant::cli {

// `Options` has the member `collection`.
template <typename Options>
CLI::App* AddVerb(CLI::App* noun, const char* verb, const char* what,
                  const std::shared_ptr<Options>& options) {
  CLI::App* command = noun->add_subcommand(verb, what);
  command->add_option("COLLECTION", options->collection, "The collection")
      ->required();
  return command;
}

// Parsing the command sets `*action` to `run` with the options.
template <typename Options>
void RunBy(CLI::App* command, const std::shared_ptr<Options>& options,
           absl::Status (*run)(Session&, const Options&), Action* action) {
  command->callback([options, run, action] {
    *action = [options, run](Session& session) {
      return run(session, *options);
    };
  });
}

// An option that may be left out.
template <typename T>
void AddParameter(CLI::App* command, const char* name, const char* what,
                  absl::optional<T>* value) {
  command->add_option_function<T>(
      name, [value](const T& given) { *value = given; }, what);
}

}  // namespace sextant::cli
