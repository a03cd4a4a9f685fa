// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "server/config/config.h"

namespace sextant {

// What the command line asks for.
struct ServeCommand {
  Config config;
};
struct HealthcheckCommand {
  std::string target;  // as gRPC takes it: "127.0.0.1:6350", "unix:/path"
  int timeout_ms = 0;
};
// Nothing more to do: `output` was asked for (--help, --print-config), or
// describes what is wrong.
struct ExitCommand {
  int code = 0;
  std::string output;
};

using Command = std::variant<ServeCommand, HealthcheckCommand, ExitCommand>;

// `arguments` without the program's name; `environment` as "NAME=value".
Command ParseCommandLine(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment);

}  // namespace sextant
