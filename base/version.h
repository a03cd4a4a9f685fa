// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/strings/string_view.h"

namespace sextant {

// The version of this build, e.g. "0.1.0" (the file VERSION).
absl::string_view Version();

}  // namespace sextant
