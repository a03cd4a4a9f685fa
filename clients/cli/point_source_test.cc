// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/point_source.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_matchers.h"
#include "clients/cli/exit_code.h"
#include "clients/formats/format_test_files.h"

namespace sextant::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// `rows` vectors of two numbers: {row, 0.5}.
std::string Matrix(const std::string& name, int rows) {
  std::string numbers;
  for (int row = 0; row < rows; ++row) {
    numbers += Bytes(static_cast<float>(row)) + Bytes(0.5F);
  }
  return WriteTestFile(
      name, NpyBytes(absl::StrCat("{'descr': '<f4', 'fortran_order': False, "
                                  "'shape': (",
                                  rows, ", 2), }"),
                     numbers));
}

std::vector<std::string> Ids(PointSource& source) {
  std::vector<std::string> ids;
  client::Point point;
  while (true) {
    const absl::StatusOr<bool> more = source.Next(&point);
    EXPECT_OK(more.status());
    if (!more.ok() || !*more) {
      return ids;
    }
    ids.push_back(client::ToString(point.id));
  }
}

TEST(PointSourceTest, RowsOfAMatrixAreNumbered) {
  ASSERT_OK_AND_ASSIGN(auto source, OpenPointSource({.path = Matrix("a.npy", 3),
                                                     .first_id = 10}));
  EXPECT_EQ(source->total(), 3u);
  EXPECT_THAT(source->shape().fields, ElementsAre(Pair("", 2u)));
  client::Point point;
  ASSERT_OK_AND_ASSIGN(const bool more, source->Next(&point));
  EXPECT_TRUE(more);
  EXPECT_THAT(point.vectors, ElementsAre(Pair("", ElementsAre(0, .5F))));
  EXPECT_THAT(source->where(), HasSubstr("a.npy row 0"));
  EXPECT_THAT(Ids(*source), ElementsAre("11", "12"));
}

TEST(PointSourceTest, RowNumbersDoNotWrapAround) {
  // The last id there is, 2^64 - 1, may be taken.
  ASSERT_OK_AND_ASSIGN(auto source,
                       OpenPointSource({.path = Matrix("a.npy", 3),
                                        .first_id = UINT64_MAX - 2}));
  EXPECT_THAT(Ids(*source), testing::Contains("18446744073709551615"));
  const absl::Status over =
      OpenPointSource({.path = Matrix("b.npy", 3), .first_id = UINT64_MAX - 1})
          .status();
  EXPECT_EQ(ExitCodeOf(over), ExitCode::kUsage);
  EXPECT_THAT(over.message(), HasSubstr("--first-id 18446744073709551614"));
}

TEST(PointSourceTest, ManyRowsComeInBlocks) {
  ASSERT_OK_AND_ASSIGN(auto source,
                       OpenPointSource({.path = Matrix("a.npy", 200'000)}));
  ASSERT_OK(source->Skip(131'000));
  client::Point point;
  for (int row = 131'000; row < 200'000; ++row) {
    ASSERT_OK_AND_ASSIGN(const bool more, source->Next(&point));
    ASSERT_TRUE(more);
    ASSERT_EQ(point.vectors[""][0], static_cast<float>(row));
  }
  EXPECT_THAT(Ids(*source), ElementsAre());
}

TEST(PointSourceTest, LinesJoinRows) {
  const std::string lines = WriteTestFile(
      "a.jsonl", "{\"id\":5,\"a\":1}\n\n{\"id\":6,\"a\":2}\n{\"id\":7}\n");
  ASSERT_OK_AND_ASSIGN(
      auto source,
      OpenPointSource({.path = lines, .vectors_path = Matrix("a.npy", 3)}));
  EXPECT_THAT(source->shape().fields, ElementsAre(Pair("", 2u)));
  ASSERT_OK(source->Skip(1));
  client::Point point;
  ASSERT_OK_AND_ASSIGN(const bool more, source->Next(&point));
  EXPECT_TRUE(more);
  EXPECT_EQ(point.id, client::PointId(uint64_t{6}));
  EXPECT_EQ(point.vectors[""][0], 1.F);
  EXPECT_EQ(point.payload, R"({"a":2})");
  EXPECT_THAT(source->where(), HasSubstr("a.jsonl:3"));
  EXPECT_THAT(Ids(*source), ElementsAre("7"));
}

TEST(PointSourceTest, LinesWithoutAnIdAreNumbered) {
  const std::string lines = WriteTestFile(
      "a.jsonl", "{\"vector\":[1]}\n{\"vector\":[2]}\n{\"vector\":[3]}\n");
  ASSERT_OK_AND_ASSIGN(auto source, OpenPointSource({.path = lines}));
  EXPECT_THAT(Ids(*source), ElementsAre("0", "1", "2"));
}

TEST(PointSourceTest, AnEmptyFileHasNoPoints) {
  ASSERT_OK_AND_ASSIGN(auto source,
                       OpenPointSource({.path = WriteTestFile("a.jsonl", "")}));
  EXPECT_TRUE(source->shape().fields.empty());
  EXPECT_THAT(Ids(*source), ElementsAre());
}

absl::Status ReadAll(const SourceOptions& options) {
  absl::StatusOr<std::unique_ptr<PointSource>> source =
      OpenPointSource(options);
  client::Point point;
  while (source.ok()) {
    const absl::StatusOr<bool> more = (*source)->Next(&point);
    if (!more.ok() || !*more) {
      return more.status();
    }
  }
  return source.status();
}

TEST(PointSourceTest, ErrorsNameTheLine) {
  const std::string good = "{\"id\":1,\"vector\":[1]}\n";
  EXPECT_THAT(
      ReadAll({.path = WriteTestFile("a.jsonl", good + good + "{\"id\":\n")}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a.jsonl:3: ")));
  EXPECT_THAT(
      ReadAll({.path = WriteTestFile("b.jsonl", good), .id_field = "uuid"}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("b.jsonl:1: has no key 'uuid'")));
  EXPECT_THAT(
      ReadAll({.path = WriteTestFile("c.jsonl", good + good),
               .vectors_path = Matrix("c.npy", 1)}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("c.jsonl:2: ")));
  EXPECT_THAT(ReadAll({.path = WriteTestFile("d.jsonl", good),
                       .vectors_path = Matrix("d.npy", 2)}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("ends after 1 points, but")));
}

TEST(PointSourceTest, OpeningErrorsAreInputErrors) {
  const auto missing = OpenPointSource({.path = "/no/such/file.npy"});
  EXPECT_EQ(ExitCodeOf(missing.status()), ExitCode::kInput);
  const auto usage = OpenPointSource(
      {.path = Matrix("a.npy", 1), .vectors_path = Matrix("b.npy", 1)});
  EXPECT_EQ(ExitCodeOf(usage.status()), ExitCode::kUsage);
  // Lines have ids of their own; a flag that does nothing would mislead.
  const auto lines = OpenPointSource(
      {.path = WriteTestFile("a.jsonl", "{\"vector\":[1]}\n"), .first_id = 7});
  EXPECT_EQ(ExitCodeOf(lines.status()), ExitCode::kUsage);
}

}  // namespace
}  // namespace sextant::cli
