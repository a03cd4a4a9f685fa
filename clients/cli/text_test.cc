// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/text.h"

#include <string>

#include "gtest/gtest.h"

namespace sextant::cli {
namespace {

class TextTest : public testing::Test {
 protected:
  TextTest() { SetUtf8Locale(); }
};

TEST_F(TextTest, PrintableTakesAwayWhatSteersATerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\nc\td"), "a [31mb c d");
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "b"),
            "a b");  // C1 control
  EXPECT_EQ(Printable("a\u202Eb"), "a b");
  EXPECT_EQ(Printable("čaj 茶 ☕"), "čaj 茶 ☕");
}

TEST_F(TextTest, PrintableMendsBrokenUtf8) {
  EXPECT_EQ(Printable("a\xff"
                      "b"),
            "a\uFFFDb");
  EXPECT_EQ(Printable("\xe8\x8c"), "\uFFFD\uFFFD");
  EXPECT_EQ(Printable("\xc0\x80"), "\uFFFD\uFFFD");
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");
}

TEST_F(TextTest, WidthCountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("čaj"), 3u);
  EXPECT_EQ(DisplayWidth("茶"), 2u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u);
}

TEST_F(TextTest, CutKeepsWholeCharacters) {
  EXPECT_EQ(CutToWidth("abcdef", 6), "abcdef");
  EXPECT_EQ(CutToWidth("abcdef", 4), "abc…");
  EXPECT_EQ(CutToWidth("茶茶茶", 4), "茶…");
  EXPECT_EQ(CutToWidth("abc", 1), "…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

TEST_F(TextTest, NumbersForPeople) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(WithCommas(1'234'567), "1,234,567");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(1'048'575), "1.0 MiB");
  EXPECT_EQ(HumanTime(absl::Microseconds(420)), "0.42 ms");
  EXPECT_EQ(HumanTime(absl::Seconds(12)), "12 s");
  EXPECT_EQ(HumanTime(absl::Seconds(200)), "3 min 20 s");
  EXPECT_EQ(HumanTime(absl::Minutes(61)), "1 h 1 min");
}

}  // namespace
}  // namespace sextant::cli
