// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/strings/string_view.h"

namespace sextant {

// Words of the filter language, in any case, that name no field unless they
// stand between backticks: and, or, not, true, false, id, exists.
bool IsReservedFilterWord(absl::string_view word);

}  // namespace sextant
