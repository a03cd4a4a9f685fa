// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/json_point.h"

#include <string>

#include "base/status_matchers.h"
#include "clients/formats/format_test_files.h"
#include "clients/formats/line_reader.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(JsonPointTest, TakesIdVectorAndPayload) {
  ASSERT_OK_AND_ASSIGN(
      const JsonPoint point,
      ParseJsonPoint(R"({"id": 18446744073709551615, "vector": [1, -2.5e-1],
                         "b": 9007199254740993, "a": "žluťoučký"})"));
  EXPECT_EQ(std::get<uint64_t>(*point.id), ~uint64_t{0});
  EXPECT_THAT(point.vectors, ElementsAre(Pair("", ElementsAre(1.f, -.25f))));
  EXPECT_EQ(point.payload, R"({"b":9007199254740993,"a":"žluťoučký"})");
}

TEST(JsonPointTest, TakesNamedVectorsAndStringId) {
  ASSERT_OK_AND_ASSIGN(
      const JsonPoint point,
      ParseJsonPoint(R"({"id":"x","vectors":{"a":[1],"b":[2,3]}})"));
  EXPECT_EQ(std::get<std::string>(*point.id), "x");
  EXPECT_THAT(point.vectors, ElementsAre(Pair("a", ElementsAre(1)),
                                         Pair("b", ElementsAre(2, 3))));
  EXPECT_EQ(point.payload, "");
}

TEST(JsonPointTest, AnIdFieldOfAnotherNameStaysInThePayload) {
  ASSERT_OK_AND_ASSIGN(const JsonPoint point,
                       ParseJsonPoint(R"({"id":1,"name":"x"})", "name"));
  EXPECT_EQ(std::get<std::string>(*point.id), "x");
  EXPECT_EQ(point.payload, R"({"name":"x"})");
}

TEST(JsonPointTest, ALonePayloadObjectIsTheWholePayload) {
  ASSERT_OK_AND_ASSIGN(JsonPoint point,
                       ParseJsonPoint(R"({"id":1,"payload":{"a":1}})"));
  EXPECT_EQ(point.payload, R"({"a":1})");
  ASSERT_OK_AND_ASSIGN(point, ParseJsonPoint(R"({"payload":{"a":1},"b":2})"));
  EXPECT_EQ(point.payload, R"({"payload":{"a":1},"b":2})");
  EXPECT_FALSE(point.id.has_value());
}

TEST(JsonPointTest, BadLinesSayWhat) {
  const struct {
    const char* name;
    std::string line;
    const char* message;
  } cases[] = {
      {"cut", R"({"id": 1, )", "not JSON: parse error at line 1, column"},
      {"broken UTF-8", "{\"id\": \"\xff\"}", "ill-formed UTF-8"},
      {"array", "[1]", "expected a JSON object, got array"},
      {"empty", "", "not JSON"},
      {"negative id", R"({"id":-1})", "id: expected an unsigned"},
      {"float id", R"({"id":1.5})", "got 1.5"},
      {"null id", R"({"id":null})", "got null"},
      {"vector text", R"({"vector":"1,2"})", "expected an array of numbers"},
      {"vector entry", R"({"vector":[1,null]})",
       "vector[1]: expected a number"},
      {"float overflow", R"({"vector":[1e39]})", "does not fit"},
      {"double overflow", R"({"vector":[1e999]})", "number overflow"},
      {"NaN", R"({"vector":[NaN]})", "not JSON"},
      {"vectors array", R"({"vectors":[[1]]})",
       "expected an object of vectors"},
      {"named entry", R"({"vectors":{"a":[true]}})", "vectors[a][0]"},
      {"sparse array", R"({"sparse_vectors":[1]})",
       "expected an object of sparse vectors"},
      {"sparse without weights", R"({"sparse_vectors":{"t":{"indices":[1]}}})",
       "sparse_vectors[t]: expected {\"indices\""},
      {"more indices",
       R"({"sparse_vectors":{"t":{"indices":[1,2],"weights":[1]}}})",
       "sparse_vectors[t].indices: expected an array of as many"},
      {"negative index",
       R"({"sparse_vectors":{"t":{"indices":[-1],"weights":[1]}}})",
       "sparse_vectors[t].indices[0]: expected an unsigned 32-bit number"},
      {"large index",
       R"({"sparse_vectors":{"t":{"indices":[4294967296],"weights":[1]}}})",
       "got 4294967296"},
      {"deep", R"({"a":)" + std::string(100'000, '['), "nested deeper than 66"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_THAT(
        ParseJsonPoint(test.line).status(),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(test.message)));
  }
}

TEST(JsonPointTest, TakesSparseVectors) {
  ASSERT_OK_AND_ASSIGN(
      const JsonPoint point,
      ParseJsonPoint(R"({"id":1,"sparse_vectors":{"t":{"indices":[4294967295,)"
                     R"(2],"weights":[0.5,-1]},"u":{"weights":[],)"
                     R"("indices":[]}},"a":1})"));
  ASSERT_EQ(point.sparse_vectors.size(), 2u);
  EXPECT_EQ(point.sparse_vectors[0].first, "t");
  EXPECT_THAT(point.sparse_vectors[0].second.indices,
              ElementsAre(4294967295u, 2u));
  EXPECT_THAT(point.sparse_vectors[0].second.weights, ElementsAre(0.5F, -1));
  EXPECT_TRUE(point.sparse_vectors[1].second.indices.empty());
  EXPECT_EQ(point.payload, R"({"a":1})");
}

TEST(JsonPointTest, BracketsInStringsDoNotNest) {
  EXPECT_OK(ParseJsonPoint(R"({"a":")" + std::string(1000, '[') + R"(\"[[\\"})")
                .status());
}

TEST(LineReaderTest, CountsLinesAndBytes) {
  const std::string path = WriteTestFile("a.jsonl", "one\r\n\nthree");
  ASSERT_OK_AND_ASSIGN(LineReader reader, LineReader::Open(path));
  EXPECT_EQ(reader.size_bytes(), 11u);
  std::vector<std::string> lines;
  absl::string_view line;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const bool more, reader.Next(&line));
    if (!more) {
      break;
    }
    lines.emplace_back(line);
  }
  EXPECT_THAT(lines, ElementsAre("one", "", "three"));
  EXPECT_EQ(reader.line_number(), 3u);
}

TEST(LineReaderTest, LinesLongerThanTheBuffer) {
  const std::string big(1'000'000, 'x');
  const std::string path = WriteTestFile("a.jsonl", big + "\n" + big + "\nend");
  ASSERT_OK_AND_ASSIGN(LineReader reader, LineReader::Open(path));
  absl::string_view line;
  ASSERT_OK_AND_ASSIGN(bool more, reader.Next(&line));
  EXPECT_EQ(line, big);
  ASSERT_OK_AND_ASSIGN(more, reader.Next(&line));
  EXPECT_EQ(line, big);
  ASSERT_OK_AND_ASSIGN(more, reader.Next(&line));
  EXPECT_EQ(line, "end");
  ASSERT_OK_AND_ASSIGN(more, reader.Next(&line));
  EXPECT_FALSE(more);
}

TEST(LineReaderTest, MissingFile) {
  EXPECT_THAT(LineReader::Open("/no/such/file").status(),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(
      LineReader::Open("/tmp").status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is a folder")));
}

}  // namespace
}  // namespace sextant
