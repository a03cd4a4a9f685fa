// SPDX-License-Identifier: Apache-2.0
#include "base/status_macros.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"

namespace sextant {
namespace {

using testing::HasSubstr;

absl::Status ReturnIfError(const absl::Status& status, bool* went_on) {
  RETURN_IF_ERROR(status);
  *went_on = true;
  return absl::OkStatus();
}

TEST(StatusMacros, ReturnIfErrorReturnsOnlyErrors) {
  bool went_on = false;
  EXPECT_OK(ReturnIfError(absl::OkStatus(), &went_on));
  EXPECT_TRUE(went_on);
  went_on = false;
  EXPECT_THAT(ReturnIfError(absl::NotFoundError("x"), &went_on),
              StatusIs(absl::StatusCode::kNotFound, std::string("x")));
  EXPECT_FALSE(went_on);
}

std::string CountedContext(int* computed) {
  ++*computed;
  return "read 'a'";
}

absl::Status ReturnWithContext(absl::Status status, int* computed) {
  RETURN_IF_ERROR_WITH(std::move(status), CountedContext(computed));
  return absl::OkStatus();
}

TEST(StatusMacros, ContextIsComputedOnlyOnFailure) {
  int computed = 0;
  EXPECT_OK(ReturnWithContext(absl::OkStatus(), &computed));
  EXPECT_EQ(computed, 0);
  EXPECT_THAT(
      ReturnWithContext(absl::DataLossError("checksum"), &computed),
      StatusIs(absl::StatusCode::kDataLoss, std::string("read 'a': checksum")));
  EXPECT_EQ(computed, 1);
}

absl::StatusOr<std::unique_ptr<int>> MakeNumber(int number) {
  if (number < 0) {
    return absl::InvalidArgumentError("negative");
  }
  return std::make_unique<int>(number);
}

absl::StatusOr<int> Sum(int a, int b) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> first, MakeNumber(a));
  std::unique_ptr<int> second;
  ASSIGN_OR_RETURN_WITH(second, MakeNumber(b), "second");
  return *first + *second;
}

TEST(StatusMacros, AssignOrReturnMovesTheValueOut) {
  ASSERT_OK_AND_ASSIGN(const int sum, Sum(2, 3));
  EXPECT_EQ(sum, 5);
  EXPECT_THAT(Sum(-1, 1), StatusIs(absl::StatusCode::kInvalidArgument,
                                   std::string("negative")));
  EXPECT_THAT(Sum(1, -1), StatusIs(absl::StatusCode::kInvalidArgument,
                                   HasSubstr("second: negative")));
}

TEST(StatusMacros, WithContextKeepsPayloadsAndOk) {
  absl::Status status = absl::AbortedError("m");
  status.SetPayload("type.example/detail", absl::Cord("payload"));
  const absl::Status result = WithContext(status, "outer");
  EXPECT_EQ(result.message(), "outer: m");
  EXPECT_EQ(result.GetPayload("type.example/detail"), absl::Cord("payload"));
  EXPECT_OK(WithContext(absl::OkStatus(), "outer"));
}

}  // namespace
}  // namespace sextant
