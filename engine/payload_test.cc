// SPDX-License-Identifier: Apache-2.0
#include "engine/payload.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/limits.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

// An object whose deepest value lies `depth` levels down.
std::string Nested(size_t depth, bool arrays) {
  std::string text = "{\"a\":";
  for (size_t i = 1; i < depth; ++i) {
    text += arrays ? "[" : "{\"a\":";
  }
  text += "1";
  for (size_t i = 1; i < depth; ++i) {
    text += arrays ? "]" : "}";
  }
  return text + "}";
}

// A valid payload of exactly `size` bytes.
std::string OfSize(size_t size) {
  const std::string frame = "{\"a\":\"\"}";
  return absl::StrCat("{\"a\":\"", std::string(size - frame.size(), 'x'),
                      "\"}");
}

struct PayloadCase {
  const char* name;
  std::string payload;
  const char* error;  // null: valid
};

class ValidatePayloadTest : public ::testing::TestWithParam<PayloadCase> {};

TEST_P(ValidatePayloadTest, Checks) {
  const absl::Status status = ValidatePayload(GetParam().payload, "payload");
  if (GetParam().error == nullptr) {
    EXPECT_OK(status);
    return;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr(GetParam().error)));
  EXPECT_EQ(InvalidFieldPath(status), "payload");
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidatePayloadTest,
    ::testing::Values(
        PayloadCase{"None", "", nullptr},
        PayloadCase{"EmptyObject", "{}", nullptr},
        PayloadCase{"AllTypes",
                    R"({"s":"é","i":-1,"u":18446744073709551615,"f":1.5e3,)"
                    R"("b":true,"n":null,"a":[1,[2]],"o":{"x":{}}})",
                    nullptr},
        PayloadCase{"SpaceAround", " \n{ \"a\" : 1 }\t", nullptr},
        PayloadCase{"RepeatedKeys", R"({"a":1,"a":2})", nullptr},
        PayloadCase{"Deepest", Nested(limits::kPayloadDepthMax, false),
                    nullptr},
        PayloadCase{"DeepestArrays", Nested(limits::kPayloadDepthMax, true),
                    nullptr},
        PayloadCase{"TooDeep", Nested(limits::kPayloadDepthMax + 1, false),
                    "nested deeper than 64"},
        PayloadCase{"TooDeepArrays", Nested(limits::kPayloadDepthMax + 1, true),
                    "nested deeper than 64"},
        PayloadCase{"HundredThousandBrackets",
                    "{\"a\":" + std::string(100'000, '['),
                    "nested deeper than 64"},
        PayloadCase{"Largest", OfSize(limits::kPayloadBytesMax), nullptr},
        PayloadCase{"TooLarge", OfSize(limits::kPayloadBytesMax + 1),
                    "at most 1048576 bytes, got 1048577"},
        PayloadCase{"Array", "[1]", "must be a JSON object"},
        PayloadCase{"EmptyArray", "[]", "must be a JSON object"},
        PayloadCase{"Number", "1", "must be a JSON object"},
        PayloadCase{"String", "\"a\"", "must be a JSON object"},
        PayloadCase{"Null", "null", "must be a JSON object"},
        PayloadCase{"OnlySpace", "  ", "not valid JSON at byte"},
        PayloadCase{"CutOff", "{\"a\":1", "not valid JSON at byte"},
        PayloadCase{"TrailingGarbage", "{\"a\":1}x", "not valid JSON at byte"},
        PayloadCase{"TwoObjects", "{}{}", "not valid JSON at byte"},
        PayloadCase{"TrailingZeroByte", std::string("{}\0", 3),
                    "not valid JSON at byte"},
        PayloadCase{"BrokenUtf8", "{\"a\":\"\xC3\"}", "not valid JSON at byte"},
        PayloadCase{"BrokenUtf8InKey", "{\"\xFF\":1}",
                    "not valid JSON at byte"},
        PayloadCase{"LoneSurrogateEscape", R"({"a":"\ud800"})",
                    "not valid JSON at byte"},
        PayloadCase{"NumberOutOfRange", "{\"a\":1e999}",
                    "not valid JSON at byte"},
        PayloadCase{"NaN", "{\"a\":NaN}", "not valid JSON at byte"},
        PayloadCase{"SingleQuotes", "{'a':1}", "not valid JSON at byte"},
        PayloadCase{"Comment", "{}/*x*/", "not valid JSON at byte"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(ValidatePayloadTest, NamesTheByte) {
  EXPECT_THAT(ValidatePayload("{\"a\":1}x", "points[0].payload"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "points[0].payload: not valid JSON at byte 8"));
}

}  // namespace
}  // namespace sextant
