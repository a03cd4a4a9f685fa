// SPDX-License-Identifier: Apache-2.0
#include "base/context.h"

#include <utility>

namespace sextant {

RequestContext::RequestContext(RequestContextOptions options)
    : options_(std::move(options)) {}

absl::Status RequestContext::Check() const {
  if (cancelled_.load(std::memory_order_relaxed) ||
      (options_.is_cancelled && options_.is_cancelled())) {
    return absl::CancelledError("the request was cancelled");
  }
  if (!options_.deadline && !options_.on_long_work) {
    return absl::OkStatus();
  }
  const MonotonicTime now = options_.clock->MonotonicNow();
  if (options_.deadline && now >= *options_.deadline) {
    return absl::DeadlineExceededError("the request's deadline has passed");
  }
  if (options_.on_long_work && now >= options_.long_after) {
    AboutToWait();
  }
  return absl::OkStatus();
}

void RequestContext::AboutToWait() const {
  if (options_.on_long_work &&
      !told_long_work_.load(std::memory_order_relaxed) &&
      !told_long_work_.exchange(true)) {
    options_.on_long_work();
  }
}

}  // namespace sextant
