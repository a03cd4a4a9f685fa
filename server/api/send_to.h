// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace sextant {

// Takes the messages of a stream; waits for a slow client. Not OK when nobody
// waits for them any more.
template <typename Message>
using SendTo = absl::FunctionRef<absl::Status(const Message&)>;

}  // namespace sextant
