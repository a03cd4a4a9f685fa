// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/text.h"

#include <wchar.h>  // NOLINT(modernize-deprecated-headers): wcwidth is POSIX

#include <algorithm>
#include <array>
#include <clocale>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sextant::cli {
namespace {

constexpr char32_t kBroken = 0xFFFD;
constexpr absl::string_view kBrokenUtf8 = "\xEF\xBF\xBD";
constexpr absl::string_view kEllipsis = "…";

// The code point at the start of `text`, and its bytes in *size (at least 1).
char32_t Decode(absl::string_view text, size_t* size) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  *size = 1;
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return first;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return kBroken;
  }
  char32_t code = first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return kBroken;
    }
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  const char32_t smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return kBroken;
  }
  *size = length;
  return code;
}

bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) ||
         // Characters that turn the direction of the text around them.
         (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

size_t Columns(char32_t code) {
  const int width = wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<size_t>(width);
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    const char32_t code = Decode(text.substr(at), &size);
    if (IsControl(code)) {
      out += ' ';
    } else if (code == kBroken) {
      out.append(kBrokenUtf8.data(), kBrokenUtf8.size());
    } else {
      out.append(text.data() + at, size);
    }
  }
  return out;
}

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    width += Columns(Decode(text.substr(at), &size));
  }
  return width;
}

std::string CutToWidth(absl::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) {
    return std::string(text);
  }
  if (width == 0) {
    return "";
  }
  size_t used = 0;
  size_t at = 0;
  while (at < text.size()) {
    size_t size = 0;
    const size_t columns = Columns(Decode(text.substr(at), &size));
    if (used + columns > width - 1) {
      break;
    }
    used += columns;
    at += size;
  }
  return absl::StrCat(text.substr(0, at), kEllipsis);
}

void SetUtf8Locale() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread starts
  setlocale(LC_CTYPE, "C.UTF-8");
}

std::string WithCommas(uint64_t number) {
  std::string digits = absl::StrCat(number);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string HumanBytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"KiB", "MiB", "GiB", "TiB",
                                                 "PiB"};
  if (bytes < 1024) {
    return absl::StrCat(bytes, " B");
  }
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string HumanTime(absl::Duration time) {
  const double seconds = absl::ToDoubleSeconds(time);
  if (seconds < 1) {
    return absl::StrFormat("%.3g ms", seconds * 1e3);
  }
  if (seconds < 60) {
    return absl::StrFormat("%.3g s", seconds);
  }
  const auto whole = static_cast<int64_t>(std::min(seconds, 1e15));
  if (whole < 3600) {
    return absl::StrFormat("%d min %d s", whole / 60, whole % 60);
  }
  return absl::StrFormat("%d h %d min", whole / 3600, whole % 3600 / 60);
}

}  // namespace sextant::cli
