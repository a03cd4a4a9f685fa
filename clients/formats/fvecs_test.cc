// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/fvecs.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "clients/formats/format_test_files.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Row(int32_t dimension, const std::vector<float>& numbers) {
  std::string bytes = Bytes(dimension);
  for (const float number : numbers) {
    bytes += Bytes(number);
  }
  return bytes;
}

TEST(FvecsTest, ReadsRows) {
  const std::string path = WriteTestFile(
      "a.fvecs", Row(2, {1, 2}) + Row(2, {3, 4}) + Row(2, {5, 6}));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  EXPECT_EQ(file->rows(), 3u);
  EXPECT_EQ(file->dimension(), 2u);
  std::vector<float> rows(4);
  ASSERT_OK(file->ReadRows(1, rows));
  EXPECT_THAT(rows, ElementsAre(3, 4, 5, 6));
}

TEST(FvecsTest, NamesTheRowAndOffsetOfAWrongDimension) {
  const std::string path =
      WriteTestFile("a.fvecs", Row(2, {1, 2}) + Row(3, {3, 4}));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  std::vector<float> rows(4);
  EXPECT_THAT(file->ReadRows(0, rows),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("row 1 at offset 12 has dimension 3")));
}

TEST(FvecsTest, ShrunkMeanwhileIsAnErrorNotACrash) {
  const std::string path =
      WriteTestFile("a.fvecs", Row(2, {1, 2}) + Row(2, {3, 4}));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  ASSERT_EQ(truncate(path.c_str(), 12), 0);
  std::vector<float> rows(2);
  EXPECT_THAT(file->ReadRows(1, rows),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("byte 12")));
}

TEST(FvecsTest, BadFiles) {
  const struct {
    const char* name;
    std::string bytes;
    const char* message;
  } cases[] = {
      {"empty", "", "empty"},
      {"three bytes", "abc", "ends at byte 3"},
      {"negative", Row(-5, {1}), "dimension -5"},
      {"zero", Row(0, {}), "dimension 0"},
      {"cut", Row(2, {1, 2}) + "abc", "ends at byte 15 in row 1"},
      {"huge dimension", Row(2'147'483'647, {1}), "in row 0"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_THAT(
        OpenVectorFile(WriteTestFile("a.fvecs", test.bytes)).status().message(),
        HasSubstr(test.message));
  }
}

TEST(VectorFileTest, OtherFilesAreRefused) {
  EXPECT_THAT(OpenVectorFile(WriteTestFile("a.csv", "1,2,3")).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("expected .npy or .fvecs")));
  EXPECT_THAT(OpenVectorFile("/no/such/file.npy").status(),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("cannot open /no/such/file.npy")));
  EXPECT_THAT(OpenVectorFile("/tmp").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("not a regular file")));
}

}  // namespace
}  // namespace sextant
