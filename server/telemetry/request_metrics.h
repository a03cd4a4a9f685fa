// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

#include "server/method.h"

namespace sextant {

// What the server counts while it works. Every series exists, at zero, from
// the start, and is looked up once, here; recording is a few atomic adds.
//
// Owned by the daemon, outlives all requests. Thread-safe. Cannot fail.
// The meaning of each metric stands in docs/reference/metrics.md.
class RequestMetrics {
 public:
  RequestMetrics();
  RequestMetrics(const RequestMetrics&) = delete;
  RequestMetrics& operator=(const RequestMetrics&) = delete;

  void RequestStarted(Method method, size_t request_bytes);
  // `request_bytes` were counted at the start.
  void RequestEnded(Method method, absl::StatusCode code, double seconds,
                    size_t response_bytes);
  // One message of a stream, each way.
  void StreamMessage(Method method, size_t request_bytes,
                     size_t response_bytes);

  // A call enters a queue, then leaves it for a thread (or is refused, because
  // the queue is full), then its work ends.
  void QueueEntered(Pool pool) { pools_[IndexOf(pool)].waiting->Increment(); }
  void QueueRefused(Pool pool);
  void QueueLeft(Pool pool, double seconds);
  void WorkEnded(Pool pool) { pools_[IndexOf(pool)].working->Decrement(); }

  void Searched(double seconds, bool slow);
  void Wrote(uint64_t inserted, uint64_t updated, uint64_t deleted);

  prometheus::Registry& registry() { return registry_; }

 private:
  static constexpr size_t kCodes = 17;  // absl::StatusCode 0 to 16

  struct MethodSeries {
    std::array<prometheus::Counter*, kCodes> by_code{};
    prometheus::Histogram* seconds = nullptr;
    prometheus::Histogram* request_bytes = nullptr;
    prometheus::Histogram* response_bytes = nullptr;
    prometheus::Gauge* in_flight = nullptr;
  };
  struct PoolSeries {
    prometheus::Gauge* waiting = nullptr;
    prometheus::Gauge* working = nullptr;
    prometheus::Counter* refused = nullptr;
    prometheus::Histogram* wait_seconds = nullptr;
  };

  void MakeMethodSeries();
  void MakePoolSeries();
  void MakeWorkSeries();

  prometheus::Registry registry_;
  std::array<MethodSeries, kMethods.size()> methods_;
  std::array<PoolSeries, kPoolNames.size()> pools_;
  prometheus::Histogram* search_seconds_ = nullptr;
  prometheus::Counter* slow_searches_ = nullptr;
  prometheus::Counter* inserted_ = nullptr;
  prometheus::Counter* updated_ = nullptr;
  prometheus::Counter* deleted_ = nullptr;
};

}  // namespace sextant
