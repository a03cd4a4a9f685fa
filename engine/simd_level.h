// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/strings/string_view.h"

namespace sextant {

// The instruction set that distances are computed with on this machine:
// "scalar", "avx2" or "avx512".
absl::string_view SimdLevel();

}  // namespace sextant
