// SPDX-License-Identifier: Apache-2.0
#include "server/transport/call_context.h"

#include <chrono>

namespace sextant {

RequestContextOptions ContextOf(const grpc::CallbackServerContext& call) {
  using std::chrono::system_clock;
  RequestContextOptions options;
  options.is_cancelled = [&call] { return call.IsCancelled(); };
  const system_clock::time_point deadline = call.deadline();
  if (deadline != system_clock::time_point::max()) {
    // gRPC gives wall time; what is left of it is what counts.
    options.deadline = options.clock->MonotonicNow() +
                       std::chrono::duration_cast<MonotonicTime::duration>(
                           deadline - system_clock::now());
  }
  return options;
}

}  // namespace sextant
