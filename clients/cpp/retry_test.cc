// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/retry.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant::client {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;
using testing::Optional;

RetrySchedule Schedule(const RetryOptions& options) {
  return RetrySchedule(options, std::mt19937(7));
}

TEST(RetryTest, WaitsTwiceAsLongEachTimeUpToTheLimit) {
  RetrySchedule schedule = Schedule({.attempts_max = 7,
                                     .backoff = absl::Milliseconds(100),
                                     .backoff_max = absl::Milliseconds(500)});
  const absl::Status busy = absl::UnavailableError("loading");
  for (const int full_ms : {100, 200, 400, 500, 500, 500}) {
    EXPECT_THAT(schedule.NextDelay(busy, absl::nullopt),
                Optional(AllOf(Ge(absl::Milliseconds(full_ms) / 2),
                               Le(absl::Milliseconds(full_ms)))));
  }
  EXPECT_EQ(schedule.NextDelay(busy, absl::nullopt), absl::nullopt);
}

TEST(RetryTest, WaitsAtLeastAsLongAsTheServerAsks) {
  RetrySchedule schedule = Schedule({});
  EXPECT_EQ(schedule.NextDelay(absl::ResourceExhaustedError("full"),
                               absl::Seconds(3)),
            absl::Seconds(3));
}

TEST(RetryTest, OtherErrorsAreFinal) {
  RetrySchedule schedule = Schedule({});
  for (const absl::Status& status :
       {absl::InvalidArgumentError(""), absl::NotFoundError(""),
        absl::DeadlineExceededError(""), absl::CancelledError(""),
        absl::InternalError("")}) {
    EXPECT_EQ(schedule.NextDelay(status, absl::Seconds(1)), absl::nullopt);
  }
}

TEST(RetryTest, ProgressStartsOver) {
  RetrySchedule schedule = Schedule({.attempts_max = 2});
  const absl::Status busy = absl::UnavailableError("loading");
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(schedule.NextDelay(busy, absl::nullopt).has_value());
    schedule.Reset();
  }
}

TEST(RetryTest, OneAttemptIsNoRetry) {
  RetrySchedule schedule = Schedule({.attempts_max = 1});
  EXPECT_EQ(schedule.NextDelay(absl::UnavailableError(""), absl::nullopt),
            absl::nullopt);
}

}  // namespace
}  // namespace sextant::client
