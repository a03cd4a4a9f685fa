// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/mutex.h"

namespace sextant {

// Waits for what another process does and tells nobody about: asks again until
// `condition` holds. False when it does not within `limit`. Whoever can be told
// (a log line, an answer, a condition variable) should not use this.
inline bool Eventually(const std::function<bool()>& condition,
                       absl::Duration limit) {
  constexpr std::chrono::milliseconds kStep(5);
  const absl::Time end = absl::Now() + limit;
  Mutex mutex;
  CondVar nobody_signals;
  while (!condition()) {
    if (absl::Now() > end) {
      return false;
    }
    MutexLock lock(&mutex);
    nobody_signals.WaitUntil(&mutex, std::chrono::steady_clock::now() + kStep);
  }
  return true;
}

}  // namespace sextant
