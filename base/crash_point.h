// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/strings/string_view.h"

// CRASH_POINT("seal:before_rename");
//
// Marks a place where a crash test stops the process. With the environment
// SEXTANT_CRASH_POINT="seal:before_rename:3" the third pass through that line
// ends the process at once, with exit code 42 and without any clean-up, as
// kill -9 would. Without the variable it costs one predictable branch.

namespace sextant::crash_point_internal {

inline constexpr int kExitCode = 42;

// Reads the environment once.
bool IsArmed();

// Counts a pass and exits if it is the chosen one.
void Pass(absl::string_view name);

}  // namespace sextant::crash_point_internal

#define CRASH_POINT(name)                           \
  do {                                              \
    static const bool sextant_crash_points_armed =  \
        ::sextant::crash_point_internal::IsArmed(); \
    if (sextant_crash_points_armed) [[unlikely]] {  \
      ::sextant::crash_point_internal::Pass(name);  \
    }                                               \
  } while (false)
