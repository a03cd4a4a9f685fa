// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"

namespace sextant {

// Asks the grpc.health.v1 service at `target` about the server as a whole. OK
// when it serves; else kUnavailable with the reason.
absl::Status CheckHealth(const std::string& target, int timeout_ms);

}  // namespace sextant
