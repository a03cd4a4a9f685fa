// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/strings/string_view.h"

namespace sextant {

// True when `text` is well-formed UTF-8 (Unicode 15, table 3-7): no overlong
// forms, no surrogates, nothing above U+10FFFF, no cut-off sequence. Zero bytes
// are well-formed.
bool IsValidUtf8(absl::string_view text);

}  // namespace sextant
