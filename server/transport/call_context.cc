// SPDX-License-Identifier: Apache-2.0
#include "server/transport/call_context.h"

#include <chrono>
#include <utility>

namespace sextant {
namespace {

// So long may a search thread leave the network alone.
constexpr std::chrono::milliseconds kLongWork(1);

}  // namespace

RequestContextOptions ContextOf(const grpc::ServerContext& call,
                                const std::atomic<bool>& cancelled) {
  using std::chrono::system_clock;
  RequestContextOptions options;
  options.is_cancelled = [&cancelled] {
    return cancelled.load(std::memory_order_relaxed);
  };
  const system_clock::time_point deadline = call.deadline();
  if (deadline != system_clock::time_point::max()) {
    // gRPC gives wall time; what is left of it is what counts.
    options.deadline = options.clock->MonotonicNow() +
                       std::chrono::duration_cast<MonotonicTime::duration>(
                           deadline - system_clock::now());
  }
  return options;
}

RequestContextOptions ContextOf(const grpc::ServerContext& call,
                                const std::atomic<bool>& cancelled,
                                std::function<void()> on_long_work) {
  RequestContextOptions options = ContextOf(call, cancelled);
  options.on_long_work = std::move(on_long_work);
  options.long_after = options.clock->MonotonicNow() + kLongWork;
  return options;
}

}  // namespace sextant
