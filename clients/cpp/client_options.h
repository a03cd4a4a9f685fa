// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

#include "clients/cpp/retry.h"

namespace sextant::client {

// How an UNAVAILABLE error begins when no server answered at all; one that
// answered (loading, draining) explains itself.
inline constexpr absl::string_view kCannotReach = "cannot reach sextantd";

// For all calls of a Client.
struct ClientOptions {
  // How long a call may take, tries and waits included.
  absl::Duration timeout = absl::Seconds(30);
  RetryOptions retry;
};

// For one call.
struct CallOptions {
  // Instead of ClientOptions::timeout.
  absl::optional<absl::Duration> timeout;
};

struct UpsertStreamOptions {
  // Messages on their way without an acknowledgement, at least 1. More hides
  // the round trip; each one is kept in memory until it is acknowledged.
  size_t window = 8;
  // How long the whole stream may take.
  absl::Duration timeout = absl::InfiniteDuration();
};

}  // namespace sextant::client
