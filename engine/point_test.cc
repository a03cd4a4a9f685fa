// SPDX-License-Identifier: Apache-2.0
#include "engine/point.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "base/utf8.h"
#include "engine/limits.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMaxNumber = std::numeric_limits<uint64_t>::max();

TEST(PointIdTest, NumbersEncodeInOrderOfValue) {
  const std::vector<uint64_t> ascending = {
      0,         1,     127,       128,         255,         256,
      65535,     65536, 1U << 31U, 1ULL << 32U, 1ULL << 63U, kMaxNumber - 1,
      kMaxNumber};
  for (size_t i = 0; i < ascending.size(); ++i) {
    const std::string encoded = EncodeId(ascending[i]);
    EXPECT_EQ(encoded.size(), 8U);
    EXPECT_EQ(DecodeId(IdKind::kNumber, encoded), PointId(ascending[i]));
    if (i > 0) {
      EXPECT_LT(EncodeId(ascending[i - 1]), encoded) << ascending[i];
    }
  }
}

TEST(PointIdTest, StringsEncodeInByteOrder) {
  const std::vector<std::string> ascending = {
      std::string("\0", 1), "!", "1", "10", "2", "A", "a", "aa", "b", "é",
      "\xF0\x9F\x98\x80"};
  ASSERT_TRUE(std::is_sorted(ascending.begin(), ascending.end()));
  for (const std::string& id : ascending) {
    EXPECT_EQ(EncodeId(id), id);
    EXPECT_EQ(DecodeId(IdKind::kString, EncodeId(id)), PointId(id));
  }
  EXPECT_TRUE(std::is_sorted(ascending.begin(), ascending.end(),
                             [](const std::string& a, const std::string& b) {
                               return EncodeId(a) < EncodeId(b);
                             }));
}

struct IdCase {
  const char* name;
  IdKind kind;
  PointId id;
  const char* error;  // null: valid
};

class ValidateIdTest : public ::testing::TestWithParam<IdCase> {};

TEST_P(ValidateIdTest, Checks) {
  const IdCase& test = GetParam();
  const absl::Status status = ValidateId(test.kind, test.id, "points[3].id");
  if (test.error == nullptr) {
    EXPECT_OK(status);
    return;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr(test.error)));
  EXPECT_EQ(InvalidFieldPath(status), "points[3].id");
  EXPECT_TRUE(IsValidUtf8(status.message())) << status.message();
}

std::string Repeated(const std::string& text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) {
    result += text;
  }
  return result;
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidateIdTest,
    ::testing::Values(
        IdCase{"ZeroNumber", IdKind::kNumber, uint64_t{0}, nullptr},
        IdCase{"LargestNumber", IdKind::kNumber, kMaxNumber, nullptr},
        IdCase{"StringForNumber", IdKind::kNumber, std::string("abc"),
               "got the string \"abc\""},
        IdCase{"LongStringForNumberIsCutBetweenCharacters", IdKind::kNumber,
               "x" + Repeated("é", 100), "got the string"},
        IdCase{"BrokenStringForNumber", IdKind::kNumber, std::string("a\xFF"),
               "got the string"},
        IdCase{"NumberForString", IdKind::kString, uint64_t{17},
               "got the number 17"},
        IdCase{"OneByte", IdKind::kString, std::string("a"), nullptr},
        IdCase{"ZeroByte", IdKind::kString, std::string("\0", 1), nullptr},
        IdCase{"Empty", IdKind::kString, std::string(),
               "1 to 512 bytes, got 0"},
        IdCase{"Longest", IdKind::kString,
               std::string(limits::kIdBytesMax, 'a'), nullptr},
        IdCase{"TooLong", IdKind::kString,
               std::string(limits::kIdBytesMax + 1, 'a'),
               "1 to 512 bytes, got 513"},
        IdCase{"BrokenUtf8", IdKind::kString, std::string("a\xC3"),
               "not valid UTF-8"},
        IdCase{"Surrogate", IdKind::kString, std::string("\xED\xA0\x80"),
               "not valid UTF-8"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(PointIdTest, ToStringIsPrintable) {
  EXPECT_EQ(ToString(PointId(uint64_t{17})), "17");
  EXPECT_EQ(ToString(PointId(std::string("abc"))), "\"abc\"");
  EXPECT_EQ(ToString(PointId(std::string("a\nb\"c"))), "\"a\\nb\\\"c\"");
  EXPECT_EQ(ToString(PointId(std::string(81, 'x'))),
            "\"" + std::string(80, 'x') + "...\"");
}

TEST(PointIdTest, ToStringIsValidUtf8WhateverTheId) {
  for (size_t shift = 0; shift < 4; ++shift) {
    const std::string id =
        std::string(shift, 'x') + Repeated("\xF0\x9F\x98\x80", 40);
    EXPECT_TRUE(IsValidUtf8(ToString(PointId(id)))) << shift;
  }
  EXPECT_TRUE(IsValidUtf8(ToString(PointId(std::string("\xFF\xFE")))));
}

}  // namespace
}  // namespace sextant
