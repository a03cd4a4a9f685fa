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
  if (options_.deadline &&
      options_.clock->MonotonicNow() >= *options_.deadline) {
    return absl::DeadlineExceededError("the request's deadline has passed");
  }
  return absl::OkStatus();
}

}  // namespace sextant
