// SPDX-License-Identifier: Apache-2.0
#include "engine/simd_level.h"

#include "index/distance.h"

namespace sextant {

absl::string_view SimdLevel() {
  return Kernels().name;
}

}  // namespace sextant
