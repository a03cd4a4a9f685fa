// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

#include "base/mutex.h"

namespace sextant {

using MonotonicTime = std::chrono::steady_clock::time_point;

// Where time comes from, so that tests decide what time it is. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time: for what people read and what is stored. It may jump.
  virtual absl::Time Now() const = 0;

  // For durations and deadlines. It never goes back.
  virtual MonotonicTime MonotonicNow() const = 0;
};

// The machine's clocks.
class RealClock final : public Clock {
 public:
  // Lives as long as the process.
  static const RealClock* Get();

  absl::Time Now() const override;
  MonotonicTime MonotonicNow() const override;
};

// A clock for tests: it stands still until Advance().
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'700'000'000));

  absl::Time Now() const override;
  MonotonicTime MonotonicNow() const override;

  // Moves both clocks forward; `step` must not be negative.
  void Advance(absl::Duration step);

 private:
  mutable Mutex mutex_;
  absl::Time wall_ ABSL_GUARDED_BY(mutex_);
  MonotonicTime monotonic_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
