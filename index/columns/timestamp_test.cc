// SPDX-License-Identifier: Apache-2.0
#include "index/columns/timestamp.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

using testing::Eq;
using testing::Optional;

TEST(TimestampTest, ReadsRfc3339) {
  EXPECT_THAT(ParseTimestamp("1970-01-01T00:00:00Z"), Optional(0));
  EXPECT_THAT(ParseTimestamp("1970-01-01t00:00:01.5z"), Optional(1500000));
  EXPECT_THAT(ParseTimestamp("1970-01-01T02:00:00+02:00"), Optional(0));
  EXPECT_THAT(ParseTimestamp("1969-12-31T23:59:59.999999Z"), Optional(-1));
  EXPECT_THAT(ParseTimestamp("2024-02-29T12:34:56.123456-03:30"),
              Optional(1709222696123456));
}

TEST(TimestampTest, CutsOffWhatIsFinerThanMicroseconds) {
  EXPECT_THAT(ParseTimestamp("1970-01-01T00:00:00.0000019Z"), Optional(1));
  EXPECT_THAT(ParseTimestamp("1969-12-31T23:59:59.9999999Z"), Optional(-1));
}

TEST(TimestampTest, RefusesWhatIsNot) {
  for (const char* text :
       {"", "now", "infinite-future", "2024-05-01", "2024-05-01T12:00:00",
        "2024-05-01 12:00:00Z", " 2024-05-01T12:00:00Z",
        "2024-05-01T12:00:00Z ", "2024-13-01T12:00:00Z", "2024-02-30T12:00:00Z",
        "2024-05-01T25:00:00Z", "24-05-01T12:00:00Z",
        "2024-05-01T12:00:00+0200", "2024-05-01T12:00:00+02",
        "2024-05-01T12:00Z", "2024-05-01T12:00:0\xC3\xA9Z"}) {
    EXPECT_THAT(ParseTimestamp(text), Eq(std::nullopt)) << text;
  }
}

TEST(TimestampTest, PrintsWhatItReads) {
  EXPECT_EQ(FormatTimestamp(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(-1), "1969-12-31T23:59:59.999999Z");
  constexpr uint64_t kTestSeed = 3;
  std::mt19937_64 random(kTestSeed);
  for (int round = 0; round < 1000; ++round) {
    // Years 0 to 9999.
    const auto micros =
        static_cast<int64_t>(random() % 315537897599000000) - 62135596800000000;
    ASSERT_THAT(ParseTimestamp(FormatTimestamp(micros)), Optional(micros))
        << FormatTimestamp(micros) << " seed " << kTestSeed;
  }
}

}  // namespace
}  // namespace sextant
