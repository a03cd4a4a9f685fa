// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "absl/time/clock.h"

#include "base/check.h"

namespace sextant {

const RealClock* RealClock::Get() {
  static const RealClock kClock;
  return &kClock;
}

absl::Time RealClock::Now() const {
  return absl::Now();
}

MonotonicTime RealClock::MonotonicNow() const {
  return std::chrono::steady_clock::now();
}

FakeClock::FakeClock(absl::Time start)
    : wall_(start), monotonic_(std::chrono::hours(1)) {}

absl::Time FakeClock::Now() const {
  MutexLock lock(&mutex_);
  return wall_;
}

MonotonicTime FakeClock::MonotonicNow() const {
  MutexLock lock(&mutex_);
  return monotonic_;
}

void FakeClock::Advance(absl::Duration step) {
  CHECK_GE(step, absl::ZeroDuration()) << "time does not go back";
  MutexLock lock(&mutex_);
  wall_ += step;
  monotonic_ += absl::ToChronoNanoseconds(step);
}

}  // namespace sextant
