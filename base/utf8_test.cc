// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace sextant {
namespace {

struct Utf8Case {
  std::string name;
  std::string text;
  bool valid;
};

class Utf8Test : public testing::TestWithParam<Utf8Case> {};

TEST_P(Utf8Test, IsJudgedRight) {
  const Utf8Case& test = GetParam();
  EXPECT_EQ(IsValidUtf8(test.text), test.valid);
  // The same bytes after ASCII of every length modulo 8, and before it.
  for (size_t length = 1; length < 17; ++length) {
    const std::string ascii(length, 'a');
    EXPECT_EQ(IsValidUtf8(ascii + test.text), test.valid) << length;
    EXPECT_EQ(IsValidUtf8(test.text + ascii), test.valid) << length;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sequences, Utf8Test,
    testing::Values(Utf8Case{"Empty", "", true},
                    Utf8Case{"Ascii", "plain", true},
                    Utf8Case{"ZeroByte", std::string("a\0b", 3), true},
                    Utf8Case{"TwoBytes", "\xC3\xA9", true},
                    Utf8Case{"ThreeBytes", "\xE2\x82\xAC", true},
                    Utf8Case{"FourBytes", "\xF0\x9F\xA7\xAD", true},
                    Utf8Case{"Highest", "\xF4\x8F\xBF\xBF", true},
                    Utf8Case{"AboveHighest", "\xF4\x90\x80\x80", false},
                    Utf8Case{"LastBeforeSurrogates", "\xED\x9F\xBF", true},
                    Utf8Case{"FirstSurrogate", "\xED\xA0\x80", false},
                    Utf8Case{"LastSurrogate", "\xED\xBF\xBF", false},
                    Utf8Case{"FirstAfterSurrogates", "\xEE\x80\x80", true},
                    Utf8Case{"OverlongSlash", "\xC0\xAF", false},
                    Utf8Case{"OverlongThree", "\xE0\x80\x80", false},
                    Utf8Case{"OverlongFour", "\xF0\x80\x80\x80", false},
                    Utf8Case{"LoneContinuation", "\x80", false},
                    Utf8Case{"CutTwo", "\xC3", false},
                    Utf8Case{"CutThree", "\xE2\x82", false},
                    Utf8Case{"CutFour", "\xF0\x9F\xA7", false},
                    Utf8Case{"LeadThenLead", "\xC3\xC3", false},
                    Utf8Case{"FiveByteForm", "\xF8\x88\x80\x80\x80", false},
                    Utf8Case{"ByteFE", "\xFE", false},
                    Utf8Case{"ByteFF", "\xFF", false},
                    Utf8Case{"Latin1", "caf\xE9 noir", false}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace sextant
