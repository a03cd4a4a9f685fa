// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <cstdint>

#include <unicode/utf8.h>

#include "base/coding.h"

namespace sextant {
namespace {

// Most text is ASCII: skips it eight bytes at a time.
size_t AsciiPrefix(absl::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t i = 0;
  while (i + sizeof(uint64_t) <= text.size() &&
         (LoadLittleEndian<uint64_t>(text.data() + i) & kHighBits) == 0) {
    i += sizeof(uint64_t);
  }
  return i;
}

}  // namespace

// ICU's macro converts between int and bytes inside.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"

bool IsValidUtf8(absl::string_view text) {
  const char* const bytes = text.data();
  size_t i = AsciiPrefix(text);
  while (i < text.size()) {
    UChar32 code_point = 0;
    // All inline: nothing of ICU is linked.
    U8_NEXT(bytes, i, text.size(), code_point);
    if (code_point < 0) {
      return false;
    }
  }
  return true;
}

#pragma GCC diagnostic pop

absl::string_view Utf8Prefix(absl::string_view text, size_t bytes_max) {
  absl::string_view prefix = text.substr(0, bytes_max);
  while (!prefix.empty() && prefix.size() < text.size() &&
         !BeginsUtf8Character(text[prefix.size()])) {
    prefix.remove_suffix(1);
  }
  return prefix;
}

}  // namespace sextant
