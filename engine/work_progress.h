// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace sextant {

// Where a long work stands: `done` of `total` parts of a stage.
struct WorkProgress {
  absl::string_view stage;
  uint64_t done = 0;
  uint64_t total = 0;
};

// Told now and then, by one thread at a time. May wait for a slow reader.
using ProgressSink = absl::FunctionRef<void(const WorkProgress&)>;

}  // namespace sextant
