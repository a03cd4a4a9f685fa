// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "absl/status/status.h"

#include "base/clock.h"

namespace sextant {

struct RequestContextOptions {
  // Work past this moment is useless to the caller. Empty: no deadline.
  std::optional<MonotonicTime> deadline;
  // Asked by Check(): true once the caller has gone, e.g. gRPC's
  // ServerContext::IsCancelled. May be called from several threads at once.
  // Empty: only Cancel() cancels.
  std::function<bool()> is_cancelled;
  // Outlives the context.
  const Clock* clock = RealClock::Get();
};

// What a request may still spend. Made by the server for one request, passed by
// const reference through every stage, polled inside long loops: once per
// 64 to 1024 candidates (a Check() is one clock read, tens of nanoseconds).
// Thread-safe. The default context never stops anything.
class RequestContext {
 public:
  RequestContext() : RequestContext(RequestContextOptions{}) {}
  explicit RequestContext(RequestContextOptions options);
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;

  // OK, Cancelled or DeadlineExceeded.
  absl::Status Check() const;

  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  const std::optional<MonotonicTime>& deadline() const {
    return options_.deadline;
  }

 private:
  const RequestContextOptions options_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace sextant
