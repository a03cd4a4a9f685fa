// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "server/config/config.h"

namespace sextant {

// Where values may come from; later ones win: file, environment, flags.
struct ConfigSources {
  // YAML file; empty means none.
  std::string file;
  // "NAME=value" entries; those that do not begin with SEXTANT__ are ignored.
  std::vector<std::string> environment;
  // (key, value) pairs from the command line, the last one wins.
  std::vector<std::pair<std::string, std::string>> flags;
};

struct LoadedConfig {
  Config config;
  // Key -> "default", "file <path>:<line>", "environment <NAME>" or "flag".
  std::map<std::string, std::string> origins;
};

// kInvalidArgument names the key, its source and what is allowed; an unknown
// key is answered with the nearest known one. kNotFound: the file.
absl::StatusOr<LoadedConfig> LoadConfig(const ConfigSources& sources);

// What single values cannot tell: kInvalidArgument for an address other than
// loopback without server.insecure, and for a server without any listener.
absl::Status CheckConfig(const Config& config);

// The environment of this process.
std::vector<std::string> ProcessEnvironment();

// --print-config: YAML that can be used as a configuration file.
std::string PrintConfig(const LoadedConfig& loaded);
// docs/reference/configuration.md.
std::string PrintConfigReference();

}  // namespace sextant
