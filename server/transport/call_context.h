// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>

#include "grpcpp/server_context.h"

#include "base/context.h"

namespace sextant {

// Deadline and cancellation of a gRPC call as a RequestContext. Both arguments
// must outlive the result, that is: the call is not finished before it is
// gone. `cancelled` is set when the client has gone; gRPC's own IsCancelled()
// says so only after the queue has.
RequestContextOptions ContextOf(const grpc::ServerContext& call,
                                const std::atomic<bool>& cancelled);

// The same for work on a thread that has other duties: `on_long_work` is called
// when the work takes longer than a search mostly does.
RequestContextOptions ContextOf(const grpc::ServerContext& call,
                                const std::atomic<bool>& cancelled,
                                std::function<void()> on_long_work);

}  // namespace sextant
