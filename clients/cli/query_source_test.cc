// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/query_source.h"

#include <string>

#include "base/status_matchers.h"
#include "clients/cli/exit_code.h"
#include "clients/formats/format_test_files.h"

namespace sextant::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Matrix() {
  return WriteTestFile(
      "a.npy",
      NpyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
               Bytes(1.F) + Bytes(2.F) + Bytes(3.F) + Bytes(4.F)));
}

TEST(QuerySourceTest, AVectorFromTheCommandLine) {
  ASSERT_OK_AND_ASSIGN(auto queries, OpenQuerySource({.vector = "[1, 2.5]"}));
  EXPECT_TRUE(queries->single());
  ASSERT_OK_AND_ASSIGN(const auto vector, queries->Vector(0));
  EXPECT_THAT(vector, ElementsAre(1, 2.5F));
}

TEST(QuerySourceTest, RowsOfAFile) {
  ASSERT_OK_AND_ASSIGN(auto queries,
                       OpenQuerySource({.vector_file = Matrix()}));
  EXPECT_FALSE(queries->single());
  EXPECT_EQ(queries->size(), 2u);
  ASSERT_OK_AND_ASSIGN(queries,
                       OpenQuerySource({.vector_file = Matrix(), .row = 1}));
  EXPECT_TRUE(queries->single());
  ASSERT_OK_AND_ASSIGN(const auto vector, queries->Vector(0));
  EXPECT_THAT(vector, ElementsAre(3, 4));
}

TEST(QuerySourceTest, ARowOutsideIsAnInputError) {
  ASSERT_OK_AND_ASSIGN(auto queries,
                       OpenQuerySource({.vector_file = Matrix(), .row = 2}));
  const absl::Status status = queries->Vector(0).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kInput);
  EXPECT_THAT(status.message(), HasSubstr("no row 2"));
}

TEST(QuerySourceTest, JsonFiles) {
  ASSERT_OK_AND_ASSIGN(
      auto queries,
      OpenQuerySource({.vector_file = WriteTestFile("a.json", "[1,\n2]")}));
  EXPECT_TRUE(queries->single());
  ASSERT_OK_AND_ASSIGN(queries,
                       OpenQuerySource({.vector_file = WriteTestFile(
                                            "b.json", "[[1,2],\n[3,4]]")}));
  EXPECT_EQ(queries->size(), 2u);
  ASSERT_OK_AND_ASSIGN(queries,
                       OpenQuerySource({.vector_file = WriteTestFile(
                                            "c.jsonl", "[1,2]\n\n[3,4]\n")}));
  EXPECT_EQ(queries->size(), 2u);
  const absl::Status bad =
      OpenQuerySource({.vector_file = WriteTestFile("d.jsonl", "[1,2]\n[3,")})
          .status();
  EXPECT_THAT(bad.message(), HasSubstr("d.jsonl:2: not JSON"));
  EXPECT_EQ(ExitCodeOf(bad), ExitCode::kInput);
}

TEST(QuerySourceTest, NothingToSearchForIsAnInputError) {
  for (const std::string& path :
       {WriteTestFile("a.jsonl", "\n"),
        WriteTestFile("b.npy", NpyBytes("{'descr': '<f4', 'fortran_order': "
                                        "False, 'shape': (0, 2), }",
                                        ""))}) {
    const absl::Status status = OpenQuerySource({.vector_file = path}).status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kInput) << path;
    EXPECT_THAT(status.message(), HasSubstr(path));
  }
}

TEST(QuerySourceTest, ATextPicksTheRow) {
  const std::string texts = WriteTestFile("a.txt", "edit photos\nplay chess\n");
  ASSERT_OK_AND_ASSIGN(auto queries, OpenQuerySource({.vector_file = Matrix(),
                                                      .text_file = texts,
                                                      .text = "Chess"}));
  ASSERT_OK_AND_ASSIGN(const auto vector, queries->Vector(0));
  EXPECT_THAT(vector, ElementsAre(3, 4));
}

TEST(QuerySourceTest, WaysThatContradictAreUsageErrors) {
  for (const QueryOptions& options :
       {QueryOptions{}, QueryOptions{.vector = "[1]", .vector_file = "a.npy"},
        QueryOptions{.vector = "[1"},
        QueryOptions{.vector_file = "a.npy", .text = "chess"}}) {
    EXPECT_EQ(ExitCodeOf(OpenQuerySource(options).status()), ExitCode::kUsage);
  }
}

TEST(FindTextTest, TheWholeLineWinsThenTheOnlyOneThatContains) {
  const std::vector<std::string> lines = {"mail server", "server", "chess"};
  ASSERT_OK_AND_ASSIGN(uint64_t row, FindText(lines, "SERVER"));
  EXPECT_EQ(row, 1u);
  ASSERT_OK_AND_ASSIGN(row, FindText(lines, "mail"));
  EXPECT_EQ(row, 0u);
  EXPECT_THAT(FindText(lines, "serve").status().message(),
              HasSubstr("2 lines contain 'serve': 'mail server', 'server'"));
  EXPECT_THAT(
      FindText(lines, "golf").status(),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("--list-queries")));
}

}  // namespace
}  // namespace sextant::cli
