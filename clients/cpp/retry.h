// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace sextant::client {

// When and how long to wait before a failed call is tried again.
struct RetryOptions {
  // Tries in all; 1 = never again. More hides longer outages and delays the
  // error of a server that is gone.
  int attempts_max = 4;
  // The first wait; each later one is twice as long up to `backoff_max`. The
  // real wait is a random part (half to all) of it, so that many clients do
  // not come back at once.
  absl::Duration backoff = absl::Milliseconds(100);
  absl::Duration backoff_max = absl::Seconds(5);
};

// Counts the attempts of one call. Used by one thread.
class RetrySchedule {
 public:
  RetrySchedule(const RetryOptions& options, std::mt19937 random)
      : options_(options), random_(random) {}

  // True for the codes that another try may cure: UNAVAILABLE and
  // RESOURCE_EXHAUSTED.
  static bool IsRetryable(const absl::Status& status);

  // How long to wait after `status`, at least `server_delay` (the server's
  // RetryInfo); nullopt = give up.
  absl::optional<absl::Duration> NextDelay(
      const absl::Status& status, absl::optional<absl::Duration> server_delay);

  // After progress: the next failure is the first again.
  void Reset() { failures_ = 0; }

 private:
  const RetryOptions options_;
  std::mt19937 random_;
  int failures_ = 0;
};

}  // namespace sextant::client
