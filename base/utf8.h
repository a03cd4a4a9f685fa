// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace sextant {

// True when `text` is well-formed UTF-8 (Unicode 15, table 3-7): no overlong
// forms, no surrogates, nothing above U+10FFFF, no cut-off sequence. Zero bytes
// are well-formed.
bool IsValidUtf8(absl::string_view text);

// Whether a character begins at this byte of well-formed UTF-8.
inline bool BeginsUtf8Character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

// The first bytes of `text`, at most `bytes_max`, cut between characters.
absl::string_view Utf8Prefix(absl::string_view text, size_t bytes_max);

}  // namespace sextant
