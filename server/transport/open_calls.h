// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "absl/base/thread_annotations.h"

#include "base/clock.h"
#include "base/mutex.h"

namespace sextant {

// Counts the calls that were taken on and are not yet done, their answers
// handed to the network included, so that a stop can wait for them.
//
// Owned by the call runner. Thread-safe.
class OpenCalls {
 public:
  void Enter(MonotonicTime now) {
    const MutexLock lock(&mutex_);
    ++count_;
    last_enter_ = now;
  }

  void Leave() {
    const MutexLock lock(&mutex_);
    if (--count_ == 0) {
      none_.NotifyAll();
    }
  }

  // False when there are still some at `deadline`.
  bool WaitForNone(MonotonicTime deadline) {
    const MutexLock lock(&mutex_);
    while (count_ > 0) {
      if (!none_.WaitUntil(&mutex_, deadline)) {
        return count_ == 0;
      }
    }
    return true;
  }

  // Waits until no call has come for `quiet`, but not past `deadline`.
  void WaitForQuiet(MonotonicTime::duration quiet, MonotonicTime deadline) {
    const MutexLock lock(&mutex_);
    for (;;) {
      const MonotonicTime wake = std::min(last_enter_ + quiet, deadline);
      if (RealClock::Get()->MonotonicNow() >= wake) {
        return;
      }
      none_.WaitUntil(&mutex_, wake);
    }
  }

 private:
  Mutex mutex_;
  CondVar none_;
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  MonotonicTime last_enter_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
