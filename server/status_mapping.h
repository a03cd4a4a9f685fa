// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace sextant {

// `status` that also tells the client to try again after `delay_ms`
// (google.rpc.RetryInfo on the wire).
absl::Status RetryAfter(absl::Status status, uint32_t delay_ms);

// The same code and message. A field path (InvalidField) travels as a
// google.rpc.BadRequest, a delay as a google.rpc.RetryInfo, both in the
// trailing metadata `grpc-status-details-bin`. Messages are cut to
// kMessageBytesMax and made valid UTF-8, because they may quote what a client
// sent and the trailing metadata of a call is small.
grpc::Status ToGrpcStatus(const absl::Status& status);

inline constexpr size_t kMessageBytesMax = 1024;

}  // namespace sextant
