// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "grpcpp/server_context.h"

#include "base/context.h"

namespace sextant {

// Deadline and cancellation of a gRPC call as a RequestContext. `call` must
// outlive the result, that is: the call is not finished before it is gone.
RequestContextOptions ContextOf(const grpc::CallbackServerContext& call);

}  // namespace sextant
