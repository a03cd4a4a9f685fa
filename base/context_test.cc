// SPDX-License-Identifier: Apache-2.0
#include "base/context.h"

#include <atomic>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread.h"

namespace sextant {
namespace {

TEST(RequestContext, TheDefaultNeverStops) {
  const RequestContext context;
  EXPECT_OK(context.Check());
  EXPECT_FALSE(context.deadline().has_value());
}

TEST(RequestContext, StopsExactlyAtTheDeadline) {
  FakeClock clock;
  const RequestContext context(
      {.deadline = clock.MonotonicNow() + std::chrono::milliseconds(10),
       .clock = &clock});
  clock.Advance(absl::Milliseconds(9));
  EXPECT_OK(context.Check());
  clock.Advance(absl::Milliseconds(1));
  EXPECT_THAT(context.Check(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(RequestContext, CancelStopsFromAnotherThread) {
  RequestContext context;
  const Thread canceller("canceller", [&context]() { context.Cancel(); });
  while (context.Check().ok()) {
  }
  EXPECT_THAT(context.Check(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(RequestContext, AsksTheCallback) {
  std::atomic<bool> gone{false};
  const RequestContext context(
      {.is_cancelled = [&gone]() { return gone.load(); }});
  EXPECT_OK(context.Check());
  gone = true;
  EXPECT_THAT(context.Check(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(RequestContext, CancellationIsReportedBeforeTheDeadline) {
  FakeClock clock;
  RequestContext context({.deadline = clock.MonotonicNow(), .clock = &clock});
  context.Cancel();
  EXPECT_THAT(context.Check(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(RequestContext, TellsOfLongWorkOnce) {
  FakeClock clock;
  int told = 0;
  const RequestContext context(
      {.on_long_work = [&told] { ++told; },
       .long_after = clock.MonotonicNow() + std::chrono::milliseconds(1),
       .clock = &clock});
  EXPECT_OK(context.Check());
  EXPECT_EQ(told, 0);
  clock.Advance(absl::Milliseconds(1));
  EXPECT_OK(context.Check());
  EXPECT_OK(context.Check());
  EXPECT_EQ(told, 1);
}

TEST(RequestContext, TellsOfWaitingAtOnce) {
  FakeClock clock;
  int told = 0;
  const RequestContext context({.on_long_work = [&told] { ++told; },
                                .long_after = MonotonicTime::max(),
                                .clock = &clock});
  context.AboutToWait();
  context.AboutToWait();
  EXPECT_EQ(told, 1);
  RequestContext().AboutToWait();  // nobody wants to know
}

}  // namespace
}  // namespace sextant
