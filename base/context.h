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
  // Told once, by the thread that does the work, when it turns out to be long:
  // at the first Check() past `long_after`, or by AboutToWait(). The thread may
  // have other duties, and this is the moment to find it a stand-in. Empty:
  // nobody wants to know.
  std::function<void()> on_long_work;
  MonotonicTime long_after;
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

  // Says that the work is going to wait, for a disk for example.
  void AboutToWait() const;

  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  const std::optional<MonotonicTime>& deadline() const {
    return options_.deadline;
  }

 private:
  const RequestContextOptions options_;
  std::atomic<bool> cancelled_{false};
  mutable std::atomic<bool> told_long_work_{false};
};

}  // namespace sextant
