// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include "gtest/gtest.h"

#include "base/status_macros.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

TEST(ErrorsTest, InvalidFieldCarriesItsPath) {
  const absl::Status status = InvalidField("points[3].id", "is empty");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "points[3].id: is empty");
  EXPECT_EQ(InvalidFieldPath(status), "points[3].id");
}

TEST(ErrorsTest, OtherStatusesHaveNoPath) {
  EXPECT_EQ(InvalidFieldPath(absl::OkStatus()), "");
  EXPECT_EQ(InvalidFieldPath(absl::InvalidArgumentError("a: b")), "");
}

TEST(ErrorsTest, PrefixFieldGoesBeforePathAndMessage) {
  const absl::Status status =
      PrefixField("searches[2].", InvalidField("limit", "must be 1 to 10"));
  EXPECT_EQ(status.message(), "searches[2].limit: must be 1 to 10");
  EXPECT_EQ(InvalidFieldPath(status), "searches[2].limit");
}

TEST(ErrorsTest, PrefixFieldLeavesOtherStatusesAlone) {
  const absl::Status missing = absl::NotFoundError("no collection 'a'");
  EXPECT_EQ(PrefixField("searches[2].", missing), missing);
  EXPECT_OK(PrefixField("searches[2].", absl::OkStatus()));
}

TEST(ErrorsTest, PrefixFieldSurvivesContextBeforeTheMessage) {
  const absl::Status status = PrefixField(
      "a.", WithContext(InvalidField("limit", "too big"), "in search"));
  EXPECT_EQ(InvalidFieldPath(status), "a.limit");
  EXPECT_EQ(status.message(), "a.limit: in search: limit: too big");
}

TEST(ErrorsTest, ShownTextIsShortPrintableAndValid) {
  const struct {
    const char* name;
    std::string text;
    std::string shown;  // at most 5 bytes
  } cases[] = {
      {"short", "abc", "abc"},
      {"just fits", "abcde", "abcde"},
      {"cut", "abcdef", "abcde..."},
      {"cut between characters", "abcd\u00e9", "abcd..."},
      {"cut inside four bytes", "abc\U0001F600", "abc..."},
      {"control characters", "a\nb", "a\\nb"},
      {"not UTF-8", "a\xFF", "a\\377"},
      {"only continuations", std::string(9, '\x80'), "..."},
      {"empty", "", ""},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(ShownText(test.text, 5), test.shown) << test.name;
  }
}

}  // namespace
}  // namespace sextant
