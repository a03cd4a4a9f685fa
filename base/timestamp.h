// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace sextant {

// Microseconds since 1970-01-01T00:00:00Z of a moment as in RFC 3339
// ("2024-05-01T12:00:00.5+02:00"); what is finer is cut off, towards the past.
// Nothing for any other text.
std::optional<int64_t> ParseTimestamp(absl::string_view text);

}  // namespace sextant
