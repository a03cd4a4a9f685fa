// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "grpcpp/support/status.h"

namespace sextant::client {

// The same code and message; when the message does not name the fields of a
// google.rpc.BadRequest detail, they are added.
absl::Status StatusFromGrpc(const grpc::Status& status);

// The delay of a google.rpc.RetryInfo detail, if there is one.
absl::optional<absl::Duration> RetryDelayOf(const grpc::Status& status);

}  // namespace sextant::client
