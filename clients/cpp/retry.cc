// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/retry.h"

#include <algorithm>

namespace sextant::client {

bool RetrySchedule::IsRetryable(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kResourceExhausted;
}

absl::optional<absl::Duration> RetrySchedule::NextDelay(
    const absl::Status& status, absl::optional<absl::Duration> server_delay) {
  if (!IsRetryable(status) || ++failures_ >= options_.attempts_max) {
    return absl::nullopt;
  }
  absl::Duration delay = options_.backoff;
  for (int i = 1; i < failures_ && delay < options_.backoff_max; ++i) {
    delay *= 2;
  }
  delay = std::min(delay, options_.backoff_max);
  delay *= std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  return std::max(delay, server_delay.value_or(absl::ZeroDuration()));
}

}  // namespace sextant::client
