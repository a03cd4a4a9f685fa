// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sextant::cli {

// Writes a result to standard output. When the reader went away it is a broken
// pipe (the program ends without a message); SIGPIPE must be ignored.
absl::Status Print(absl::string_view text);
absl::Status PrintLine(absl::string_view text);
// Brings everything printed to its reader.
absl::Status FlushOutput();

// Writes a line for people to standard error; its errors do not matter.
void Note(absl::string_view text);

// Columns of the terminal at standard output, 0 when it is not one (or when
// COLUMNS says 0).
size_t OutputWidth();
bool ErrorIsTerminal();
bool InputIsTerminal();

}  // namespace sextant::cli
