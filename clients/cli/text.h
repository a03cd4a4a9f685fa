// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Text as a terminal shows it: columns instead of bytes, nothing that could
// steer the terminal, numbers and sizes for people.
namespace sextant::cli {

// `text` in one line: control characters (line ends, escape sequences) become
// spaces, broken UTF-8 becomes U+FFFD.
std::string Printable(absl::string_view text);

// Columns that printable UTF-8 text takes: wide characters two, combining ones
// none. Needs a UTF-8 LC_CTYPE (SetUtf8Locale).
size_t DisplayWidth(absl::string_view text);

// Printable text cut to `width` columns; what is cut ends in "…".
std::string CutToWidth(absl::string_view text, size_t width);

// Makes DisplayWidth work whatever the user's locale; call it once in main().
void SetUtf8Locale();

// 1234567 -> "1,234,567".
std::string WithCommas(uint64_t number);
// 1536 -> "1.5 KiB".
std::string HumanBytes(uint64_t bytes);
// "0.42 ms", "12 s", "3 min 20 s".
std::string HumanTime(absl::Duration time);

}  // namespace sextant::cli
