// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"

namespace sextant {

// OK when a Unix socket can be made at `path` right now. A socket that a
// process left behind there is removed; one that is listened on, or a file that
// is no socket, is left alone and is an error, as is a path that is too long or
// whose directory is missing or not writable. The message has no path in it.
absl::Status PrepareSocketPath(const std::string& path);

}  // namespace sextant
