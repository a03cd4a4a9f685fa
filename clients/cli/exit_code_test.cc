// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/exit_code.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant::cli {
namespace {

using testing::HasSubstr;

TEST(ExitCodeTest, EveryKindOfErrorHasItsCode) {
  const struct {
    absl::Status status;
    ExitCode code;
  } cases[] = {
      {absl::OkStatus(), ExitCode::kOk},
      {absl::InvalidArgumentError("limit"), ExitCode::kError},
      {absl::AlreadyExistsError("a"), ExitCode::kError},
      {UsageError("--limit"), ExitCode::kUsage},
      {absl::NotFoundError("a"), ExitCode::kNotFound},
      {absl::UnavailableError("a"), ExitCode::kUnreachable},
      {absl::DeadlineExceededError("a"), ExitCode::kUnreachable},
      {absl::ResourceExhaustedError("a"), ExitCode::kUnreachable},
      {InputError(absl::NotFoundError("a.npy")), ExitCode::kInput},
      {InputError(absl::DataLossError("a.npy")), ExitCode::kInput},
      {BrokenPipeError(), ExitCode::kBrokenPipe},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(ExitCodeOf(test.status), test.code) << test.status;
  }
  EXPECT_TRUE(InputError(absl::OkStatus()).ok());
}

TEST(ExitCodeTest, MessagesSayWhatToDo) {
  EXPECT_THAT(ErrorText(absl::UnavailableError(
                  "cannot reach sextantd at 127.0.0.1:6350: refused")),
              HasSubstr("./dev run"));
  EXPECT_EQ(ErrorText(absl::UnavailableError("the server loads")),
            "the server loads");
  EXPECT_THAT(ErrorText(absl::DeadlineExceededError("")),
              HasSubstr("--timeout"));
  EXPECT_THAT(ErrorText(UsageError("x")), HasSubstr("--help"));
  EXPECT_EQ(ErrorText(absl::InternalError("")), "INTERNAL");
}

}  // namespace
}  // namespace sextant::cli
