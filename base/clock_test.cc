// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "gtest/gtest.h"

namespace sextant {
namespace {

TEST(RealClock, MonotonicTimeNeverGoesBack) {
  const Clock* const clock = RealClock::Get();
  const MonotonicTime first = clock->MonotonicNow();
  EXPECT_GE(clock->MonotonicNow(), first);
  EXPECT_GT(clock->Now(), absl::FromUnixSeconds(1'600'000'000));
}

TEST(FakeClock, StandsStillUntilAdvanced) {
  FakeClock clock(absl::FromUnixSeconds(100));
  const MonotonicTime start = clock.MonotonicNow();
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(clock.Now(), absl::FromUnixMillis(101'500));
  EXPECT_EQ(clock.MonotonicNow() - start, std::chrono::milliseconds(1500));
}

TEST(FakeClockDeathTest, RefusesToGoBack) {
  FakeClock clock;
  EXPECT_DEATH(clock.Advance(absl::Seconds(-1)), "time does not go back");
}

}  // namespace
}  // namespace sextant
