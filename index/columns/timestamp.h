// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sextant {

// Microseconds since 1970-01-01T00:00:00Z of an RFC 3339 time
// ("2024-05-01T12:00:00.25+02:00"); finer digits are cut off, towards the past.
// None when the text is none.
std::optional<int64_t> ParseTimestamp(absl::string_view text);

// RFC 3339 in UTC with as many digits as it needs: "2024-05-01T10:00:00.25Z".
// Years past 9999 or before 0 have more digits or a sign, which ParseTimestamp
// does not take.
std::string FormatTimestamp(int64_t microseconds);

}  // namespace sextant
