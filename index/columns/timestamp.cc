// SPDX-License-Identifier: Apache-2.0
#include "index/columns/timestamp.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace sextant {
namespace {

// 2024-05-01T12:00:00, then a fraction and a zone. Abseil takes more: spaces
// around, other widths, "infinite-future".
bool HasShape(absl::string_view text) {
  constexpr absl::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kShape.size()) {
    return false;
  }
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool fits = kShape[i] == 'd'
                          ? absl::ascii_isdigit(static_cast<uint8_t>(text[i]))
                      : kShape[i] == 'T' ? text[i] == 'T' || text[i] == 't'
                                         : text[i] == kShape[i];
    if (!fits) {
      return false;
    }
  }
  const char last = text.back();
  return last == 'Z' || last == 'z' ||
         (absl::ascii_isdigit(static_cast<uint8_t>(last)) &&
          text[text.size() - 3] == ':' &&
          (text[text.size() - 6] == '+' || text[text.size() - 6] == '-'));
}

}  // namespace

std::optional<int64_t> ParseTimestamp(absl::string_view text) {
  absl::Time time;
  std::string error;
  if (!HasShape(text) ||
      !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return std::nullopt;
  }
  return absl::ToUnixMicros(time);
}

std::string FormatTimestamp(int64_t microseconds) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ",
                          absl::FromUnixMicros(microseconds),
                          absl::UTCTimeZone());
}

}  // namespace sextant
