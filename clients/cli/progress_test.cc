// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/progress.h"

#include "gtest/gtest.h"

namespace sextant::cli {
namespace {

TEST(ProgressTest, ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(
      ProgressLine({.done = 1800, .total = 4000, .elapsed = absl::Seconds(2)},
                   true),
      " 45 % [##########              ] 1,800 of 4,000 points, 900/s, "
      "3 s left");
  EXPECT_EQ(
      ProgressLine({.done = 4000, .total = 4000, .elapsed = absl::Seconds(4)},
                   false),
      "100 % 4,000 of 4,000 points, 1,000/s");
}

TEST(ProgressTest, AResumedRunCountsOnlyItsOwnWork) {
  EXPECT_EQ(ProgressLine({.done = 3000,
                          .total = 4000,
                          .elapsed = absl::Seconds(2),
                          .skipped = 2000},
                         false),
            " 75 % 3,000 of 4,000 points, 500/s, 2 s left");
}

TEST(ProgressTest, KnowsTheShareFromBytesOrNotAtAll) {
  EXPECT_EQ(
      ProgressLine({.done = 10, .fraction = .5, .elapsed = absl::Seconds(1)},
                   false),
      " 50 % 10 points, 10/s, 1 s left");
  EXPECT_EQ(ProgressLine({.done = 10, .elapsed = absl::Seconds(1)}, true),
            "10 points, 10/s");
  EXPECT_EQ(ProgressLine({.total = 100}, false), "  0 % 0 of 100 points");
}

}  // namespace
}  // namespace sextant::cli
