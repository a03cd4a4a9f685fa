// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"

namespace sextant::cli {

// What scripts may rely on (docs/reference/cli.md).
enum class ExitCode {
  kOk = 0,
  kError = 1,         // anything not listed below
  kUsage = 2,         // the command line is wrong
  kNotFound = 3,      // no such collection or point
  kUnreachable = 4,   // no server, a busy server, or no answer in time
  kInput = 5,         // a file or standard input is missing, cut or wrong
  kBrokenPipe = 141,  // the reader of the output went away, as by SIGPIPE
};

// Marks an error as the fault of the command line or of an input file, which
// its code alone does not tell.
absl::Status UsageError(absl::string_view message);
absl::Status InputError(const absl::Status& status);
// Of writing the output; nobody is left to read a message.
absl::Status BrokenPipeError();

ExitCode ExitCodeOf(const absl::Status& status);

// The message for a person, with what to do about it where that is known.
std::string ErrorText(const absl::Status& status);

}  // namespace sextant::cli
