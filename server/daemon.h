// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/config/config.h"

namespace sextant {

// Exit codes of sextantd, stated in --help.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,         // the data directory, or the stop was not clean
  kExitConfiguration = 2,  // a setting, or an address that cannot be used
};

// Runs the server until SIGTERM or SIGINT: listens (and answers "loading"),
// opens the data, serves, drains, closes the data. Call once, from the main
// thread, before any other thread is started. Returns the exit code; errors
// are in the log.
int RunDaemon(const Config& config);

}  // namespace sextant
