// SPDX-License-Identifier: Apache-2.0
#include "base/timestamp.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"

namespace sextant {

std::optional<int64_t> ParseTimestamp(absl::string_view text) {
  // Abseil also takes white space, "infinite-future" and years of any length,
  // whose microseconds have no room.
  constexpr absl::string_view kShortest = "2024-05-01T12:00:00Z";
  constexpr size_t kLongest = 64;
  if (text.size() < kShortest.size() || text.size() > kLongest ||
      text[4] != '-' || text.back() == ' ' ||
      !std::all_of(text.begin(), text.begin() + 4,
                   [](unsigned char c) { return absl::ascii_isdigit(c); })) {
    return std::nullopt;
  }
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return std::nullopt;
  }
  return absl::ToUnixMicros(time);
}

}  // namespace sextant
