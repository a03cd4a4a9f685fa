// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/mined_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "clients/cli/exit_code.h"
#include "tests/support/temp_dir.h"

namespace sextant::cli {
namespace {

using testing::HasSubstr;

class MinedFileTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/pairs.jsonl"; }
  std::string Text() const {
    std::ifstream in(path());
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const TempDir folder_;
  const std::vector<client::MinedPair> first_ = {
      {uint64_t{1}, uint64_t{2}, 1.5}, {uint64_t{3}, std::string("a\"b"), 1}};
  const std::vector<client::MinedPair> second_ = {
      {uint64_t{5}, uint64_t{6}, 0.25}};
};

TEST_F(MinedFileTest, GoesOnBehindTheLastRecordedLine) {
  {
    ASSERT_OK_AND_ASSIGN(const auto file,
                         MinedFile::Open(path(), "a b", false));
    EXPECT_EQ(file->resume_token(), "");
    ASSERT_OK(file->Append(first_, "token1"));
  }
  const std::string lines =
      "{\"source\":1,\"target\":2,\"score\":1.5}\n"
      "{\"source\":3,\"target\":\"a\\\"b\",\"score\":1.0}\n";
  EXPECT_EQ(Text(), lines);
  // A kill in the middle of a line.
  std::ofstream(path(), std::ios::app) << "{\"source\":5,\"tar";
  {
    ASSERT_OK_AND_ASSIGN(const auto file, MinedFile::Open(path(), "a b", true));
    EXPECT_EQ(file->resume_token(), "token1");
    EXPECT_EQ(file->lines(), 2U);
    ASSERT_OK(file->Append(second_, "token2"));
    ASSERT_OK(file->Finish());
  }
  EXPECT_EQ(Text(), lines + "{\"source\":5,\"target\":6,\"score\":0.25}\n");
  EXPECT_FALSE(std::filesystem::exists(path() + ".state"));
}

TEST_F(MinedFileTest, OnlyTheSameMiningIsContinued) {
  const auto nothing = MinedFile::Open(path(), "a b", true);
  EXPECT_EQ(ExitCodeOf(nothing.status()), ExitCode::kInput);
  EXPECT_THAT(nothing.status().message(), HasSubstr("nothing there to resume"));
  {
    ASSERT_OK_AND_ASSIGN(const auto file,
                         MinedFile::Open(path(), "a b", false));
    ASSERT_OK(file->Append(first_, "token1"));
  }
  EXPECT_THAT(MinedFile::Open(path(), "a c", true).status().message(),
              HasSubstr("other options"));
  std::filesystem::resize_file(path(), 3);
  EXPECT_THAT(MinedFile::Open(path(), "a b", true).status().message(),
              HasSubstr("shorter than"));
  std::ofstream(path() + ".state") << "{\"format\":1}";
  EXPECT_EQ(ExitCodeOf(MinedFile::Open(path(), "a b", true).status()),
            ExitCode::kInput);
  // Without --resume it begins anew.
  ASSERT_OK_AND_ASSIGN(const auto file, MinedFile::Open(path(), "a b", false));
  EXPECT_EQ(Text(), "");
}

}  // namespace
}  // namespace sextant::cli
