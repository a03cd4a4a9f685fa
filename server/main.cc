// SPDX-License-Identifier: Apache-2.0
//
// sextantd, the vector search server.

#include <cstdio>
#include <string>
#include <vector>

#include "server/command_line.h"
#include "server/config/config_load.h"
#include "server/daemon.h"
#include "server/healthcheck.h"

namespace sextant {
namespace {

int Run(const ServeCommand& command) {
  return RunDaemon(command.config);
}

int Run(const HealthcheckCommand& command) {
  const absl::Status status = CheckHealth(command.target, command.timeout_ms);
  if (!status.ok()) {
    std::fprintf(stderr, "sextantd healthcheck: %s\n",
                 std::string(status.message()).c_str());
    return kExitFailed;
  }
  return kExitOk;
}

int Run(const ExitCommand& command) {
  std::fputs(command.output.c_str(), command.code == 0 ? stdout : stderr);
  return command.code;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const sextant::Command command =
      sextant::ParseCommandLine(arguments, sextant::ProcessEnvironment());
  return std::visit([](const auto& one) { return sextant::Run(one); }, command);
}
