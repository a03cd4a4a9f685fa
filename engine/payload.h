// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sextant {

// OK when `payload` is empty or a JSON object within limits (size, nesting,
// UTF-8); else InvalidField(field, ...), naming the byte where JSON ends.
absl::Status ValidatePayload(absl::string_view payload,
                             absl::string_view field);

}  // namespace sextant
