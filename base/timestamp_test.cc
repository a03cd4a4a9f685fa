// SPDX-License-Identifier: Apache-2.0
#include "base/timestamp.h"

#include "gtest/gtest.h"

namespace sextant {
namespace {

TEST(TimestampTest, MomentsOfAllForms) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:01.5Z"), 1'500'000);
  EXPECT_EQ(ParseTimestamp("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59Z"), -1'000'000);
  EXPECT_EQ(ParseTimestamp("2024-02-29T12:34:56.123456Z"),
            1'709'210'096'123'456);
  EXPECT_EQ(ParseTimestamp("0001-01-01T00:00:00Z"), -62'135'596'800'000'000);
  EXPECT_EQ(ParseTimestamp("9999-12-31T23:59:59.999999Z"),
            253'402'300'799'999'999);
}

TEST(TimestampTest, FinerThanMicrosecondsIsCutOff) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00.0000019Z"), 1);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59.9999999Z"), -1);
}

TEST(TimestampTest, AnythingElseIsNone) {
  for (const char* text :
       {"", "now", "2024-05-01", "2024-05-01T12:00:00", "2024-05-01 12:00:00Z",
        " 2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z ",
        "2024-02-30T12:00:00Z", "2024-13-01T12:00:00Z", "2024-05-01T25:00:00Z",
        "12024-05-01T12:00:00Z", "-2024-05-01T12:00:00Z", "infinite-future",
        "infinite-future-and-longer", "2024-05-01T12:00:00Zone"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sextant
