// SPDX-License-Identifier: Apache-2.0
#include "server/command_line.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "base/version.h"
#include "server/address.h"
#include "server/config/config_keys.h"
#include "server/config/config_load.h"
#include "server/daemon.h"

namespace sextant {
namespace {

constexpr char kExamples[] =
    R"(Every setting can also stand in the file or in the environment:
  grpc.listen = --grpc.listen = SEXTANT__GRPC__LISTEN; flags win, then the
  environment, then the file.

Examples:
  sextantd
      serve on 127.0.0.1:6350, data in ./sextant-data
  sextantd --storage.data_dir /var/lib/sextant --log.format json
  sextantd --config sextant.yaml --print-config
      show every setting and where it comes from
  SEXTANT__GRPC__LISTEN=0.0.0.0:6350 sextantd --insecure
      serve a trusted network
  sextantd healthcheck && echo serving

Exit codes: 0 stopped cleanly; 1 the data directory cannot be used or closed;
2 a setting is wrong or an address cannot be listened on. SIGTERM and SIGINT
drain and stop; a second one ends the process at once.)";

// What the parser fills in.
struct Parsed {
  std::string config_file;
  // Key -> text of the flag; the option tells whether it was given.
  std::map<std::string, std::string> values;
  std::map<std::string, CLI::Option*> options;
  bool insecure = false;
  bool print_config = false;
  bool print_reference = false;
  std::string health_address;
  int health_timeout_ms = 2000;
};

void AddOptions(CLI::App* app, Parsed* parsed) {
  app->set_help_flag("-h,--help", "Show this text.");
  app->set_version_flag("--version",
                        absl::StrCat("sextantd ", std::string(Version())));
  app->add_option("--config", parsed->config_file, "YAML file with settings.")
      ->type_name("FILE");
  app->add_flag("--print-config", parsed->print_config,
                "Print the effective settings with their sources, and exit.");
  app->add_flag("--print-config-reference", parsed->print_reference,
                "Print the reference of all settings (Markdown), and exit.");
  app->add_flag("--insecure", parsed->insecure,
                "Short for --server.insecure true.");
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string name(key.name);
    const std::string section = name.substr(0, name.find('.'));
    const std::string initial = ConfigValueText(key, Config());
    std::string help = absl::StrCat(std::string(key.help), " [",
                                    initial.empty() ? "empty" : initial, "]");
    parsed->options[name] =
        app->add_option("--" + name, parsed->values[name], help)
            ->type_name("")
            ->take_last()
            ->group(absl::StrCat("Settings: ", section));
  }
}

void AddHealthcheck(CLI::App* app, Parsed* parsed) {
  CLI::App* const check = app->add_subcommand(
      "healthcheck",
      "Exit 0 if the server at the configured address serves, else 1.");
  check
      ->add_option("--address", parsed->health_address,
                   "Ask this address instead of grpc.listen.")
      ->type_name("HOST:PORT");
  check
      ->add_option("--timeout-ms", parsed->health_timeout_ms,
                   "Give up after this long. [2000]")
      ->check(CLI::Range(1, 600'000))
      ->type_name("MS");
  // Settings may stand behind the subcommand, too.
  check->fallthrough();
}

Command ConfigurationError(const absl::Status& status) {
  return ExitCommand{kExitConfiguration,
                     absl::StrCat("sextantd: ", status.message(), "\n")};
}

// An argument that CLI11 does not know.
absl::Status UnknownArgument(const std::string& argument) {
  if (!absl::StartsWith(argument, "--")) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown argument '", argument, "'; see --help"));
  }
  const std::string name = argument.substr(2, argument.find('=') - 2);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown flag --", name, "; did you mean --",
                   std::string(NearestConfigKey(name)), "? See --help"));
}

ConfigSources SourcesOf(const Parsed& parsed,
                        const std::vector<std::string>& environment) {
  ConfigSources sources;
  sources.file = parsed.config_file;
  sources.environment = environment;
  if (parsed.insecure) {
    sources.flags.emplace_back("server.insecure", "true");
  }
  for (const auto& [name, option] : parsed.options) {
    if (option->count() > 0) {
      sources.flags.emplace_back(name, parsed.values.at(name));
    }
  }
  return sources;
}

absl::StatusOr<HealthcheckCommand> HealthcheckOf(const Parsed& parsed,
                                                 const Config& config) {
  HealthcheckCommand command;
  command.timeout_ms = parsed.health_timeout_ms;
  std::string text = parsed.health_address;
  if (text.empty()) {
    text = config.grpc.listen;
  }
  if (text.empty()) {
    text = absl::StrCat("unix:", config.grpc.unix_socket);
  }
  if (absl::StartsWith(text, "unix:")) {
    command.target = text;
    return command;
  }
  ASSIGN_OR_RETURN_WITH(const Address address, ParseAddress(text), "--address");
  command.target = ReachableAddress(address).ToString();
  return command;
}

}  // namespace

Command ParseCommandLine(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment) {
  CLI::App app("sextantd: the vector search server.", "sextantd");
  Parsed parsed;
  AddOptions(&app, &parsed);
  AddHealthcheck(&app, &parsed);
  app.footer(kExamples);
  app.allow_extras();
  // CLI11 takes its arguments last one first.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    std::ostringstream output;
    const int code = app.exit(error, output, output);
    return ExitCommand{code == 0 ? kExitOk : kExitConfiguration, output.str()};
  }
  if (!app.remaining(true).empty()) {
    return ConfigurationError(UnknownArgument(app.remaining(true).front()));
  }
  if (parsed.print_reference) {
    return ExitCommand{kExitOk, PrintConfigReference()};
  }
  const auto loaded = LoadConfig(SourcesOf(parsed, environment));
  if (!loaded.ok()) {
    return ConfigurationError(loaded.status());
  }
  if (parsed.print_config) {
    return ExitCommand{kExitOk, PrintConfig(*loaded)};
  }
  if (app.got_subcommand("healthcheck")) {
    auto command = HealthcheckOf(parsed, loaded->config);
    return command.ok() ? Command(*std::move(command))
                        : ConfigurationError(command.status());
  }
  if (const absl::Status status = CheckConfig(loaded->config); !status.ok()) {
    return ConfigurationError(status);
  }
  return ServeCommand{loaded->config};
}

}  // namespace sextant
