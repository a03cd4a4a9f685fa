// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/match.h"

#include "tests/cli/cli_fixture.h"

namespace sextant {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class CliSearchTest : public CliTest {
 protected:
  static void SetUpTestSuite() {
    CliTest::SetUpTestSuite();
    ImportDemo("packages");
  }

  static std::vector<std::string> Query(const std::string& text) {
    return {"search",
            "packages",
            "--vector-file",
            "demo/queries.npy",
            "--query-text-file",
            "demo/queries.txt",
            "--query",
            text};
  }
};

TEST_F(CliSearchTest, EditPhotosFindsPhotoEditors) {
  std::vector<std::string> arguments = Query("edit photos");
  arguments.insert(arguments.end(),
                   {"--limit", "5", "--fields", "name,section,description"});
  const CliResult result = Run(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const std::vector<std::string> lines =
      absl::StrSplit(result.output, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 6u) << result.output;
  EXPECT_THAT(lines[0], HasSubstr("name"));
  EXPECT_THAT(lines[1], HasSubstr("fotoxx"));
  EXPECT_THAT(lines[1], HasSubstr("Edit photos and manage"));
  EXPECT_THAT(result.output, HasSubstr("rawtherapee"));
  EXPECT_EQ(result.error, "");  // a script hears nothing but errors
}

TEST_F(CliSearchTest, TheRowOfTheQueryIsTheSame) {
  std::vector<std::string> by_text = Query("edit photos");
  by_text.emplace_back("--payload");
  const std::vector<json> first = RunJson(by_text);
  const std::vector<json> second =
      RunJson({"search", "packages", "--vector-file", "demo/queries.npy",
               "--row", "0", "--payload"});
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0]["hits"], second[0]["hits"]);
  EXPECT_EQ(first[0]["hits"].size(), 10u);
  EXPECT_EQ(first[0]["hits"][0]["payload"]["name"], "fotoxx");
}

TEST_F(CliSearchTest, AllRowsAtOnceAnswerAsOneByOne) {
  const std::vector<json> all =
      RunJson({"search", "packages", "--vector-file", "demo/queries.npy",
               "--batch", "64", "--limit", "3", "--exact"});
  ASSERT_EQ(all.size(), 220u);
  for (const int row : {0, 63, 64, 219}) {
    SCOPED_TRACE(row);
    EXPECT_EQ(all[static_cast<size_t>(row)]["query"], row);
    const std::vector<json> one =
        RunJson({"search", "packages", "--vector-file", "demo/queries.npy",
                 "--row", std::to_string(row), "--limit", "3", "--exact"});
    EXPECT_EQ(one[0]["hits"], all[static_cast<size_t>(row)]["hits"]);
  }
  const CliResult table =
      Run({"search", "packages", "--vector-file", "demo/queries.npy"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.error, HasSubstr("220 searches in "));
}

TEST_F(CliSearchTest, NearAStoredPointLeavesItOut) {
  const std::vector<json> result =
      RunJson({"search", "packages", "--id", "42", "--limit", "4"});
  ASSERT_EQ(result[0]["hits"].size(), 4u);
  for (const json& hit : result[0]["hits"]) {
    EXPECT_NE(hit["id"], 42);
  }
}

TEST_F(CliSearchTest, VectorsFromTheCommandLineAndFromAPipe) {
  const std::vector<json> point =
      RunJson({"get", "packages", "42", "--vectors"});
  const std::string vector = point[0]["vectors"]["embedding"].dump();
  const std::vector<json> direct =
      RunJson({"search", "packages", "--vector", vector});
  EXPECT_EQ(direct[0]["hits"][0]["id"], 42);
  const std::vector<json> piped = RunJson(
      {"search", "packages", "--vector", "-"}, vector + "\n" + vector + "\n");
  ASSERT_EQ(piped.size(), 2u);
  EXPECT_EQ(piped[1]["hits"], direct[0]["hits"]);
}

TEST_F(CliSearchTest, ExplainShowsThePlan) {
  std::vector<std::string> arguments = Query("web browser");
  arguments.insert(arguments.end(), {"--explain", "--offset", "2"});
  const CliResult result = Run(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.output, HasSubstr("\nplan:\n"));
  EXPECT_THAT(result.output, HasSubstr("dense embedding"));
  EXPECT_THAT(result.output, HasSubstr("distances"));
}

TEST_F(CliSearchTest, ListsTheExampleQueries) {
  const CliResult result = Run(
      {"search", "--list-queries", "--query-text-file", "demo/queries.txt"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(absl::StartsWith(result.output, "edit photos\n"));
}

TEST_F(CliSearchTest, PointsCanBeShownAndWalked) {
  const std::vector<json> points = RunJson({"get", "packages", "3", "0"});
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0]["id"], 3);
  EXPECT_EQ(points[1]["payload"]["name"], "0ad");
  EXPECT_FALSE(points[1].contains("vectors"));
  const std::vector<json> all =
      RunJson({"scroll", "packages", "--limit", "0", "--page-size", "999"});
  ASSERT_EQ(all.size(), 4000u);
  EXPECT_EQ(all[3999]["id"], 3999);
  const CliResult table =
      Run({"scroll", "packages", "--limit", "2", "--fields", "name"});
  EXPECT_THAT(table.output, testing::StartsWith("id  name\n0   0ad\n"));
}

TEST_F(CliSearchTest, DescriptionsOfCollections) {
  const std::vector<json> infos = RunJson({"collection", "list"});
  ASSERT_EQ(infos.size(), 1u);
  EXPECT_EQ(infos[0]["name"], "packages");
  EXPECT_EQ(infos[0]["vector_fields"][0]["dimension"], 512);
  EXPECT_EQ(RunJson({"stats", "packages"})[0]["points"], 4000);
  EXPECT_EQ(RunJson({"count", "packages"})[0]["count"], 4000);
  EXPECT_THAT(Run({"stats"}).output, HasSubstr("not indexed"));
  EXPECT_THAT(Run({"stats"}).output, HasSubstr("mapped vectors"));
  EXPECT_THAT(Run({"stats"}).output, HasSubstr("disk vectors"));
  EXPECT_EQ(infos[0]["vector_fields"][0]["encoding"], "auto");
  EXPECT_EQ(infos[0]["vector_fields"][0]["rerank"], "memory");
  EXPECT_THAT(Run({"collection", "get", "packages"}).output,
              HasSubstr("content hash"));
}

TEST_F(CliSearchTest, AReaderThatGoesAwayIsNoError) {
  const CliResult result = RunScript(
      folder(), "set -o pipefail\n\"$SEXTANT\" --server " + server() +
                    " scroll packages --limit 0 --output json | head -n 1");
  EXPECT_EQ(result.exit_code, 141);
  EXPECT_EQ(result.error, "");
}

TEST_F(CliSearchTest, HelpHasExamplesEverywhere) {
  const std::vector<std::vector<std::string>> commands = {
      {},
      {"collection", "create"},
      {"collection", "list"},
      {"import"},
      {"collection", "delete"},
      {"collection", "get"},
      {"search"},
      {"get"},
      {"delete"},
      {"scroll"},
      {"count"},
      {"stats"}};
  for (std::vector<std::string> command : commands) {
    command.emplace_back("--help");
    const CliResult result = RunCli(folder(), command);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.output, HasSubstr("Example")) << command[0];
  }
  EXPECT_THAT(RunCli(folder(), {"--version"}).output,
              testing::StartsWith("sextant "));
}

TEST_F(CliSearchTest, SparseVectorsComeInAndOut) {
  const CliResult created =
      Run({"collection", "create", "sparse", "--dimension", "2",
           "--sparse-field", "terms"});
  ASSERT_EQ(created.exit_code, 0) << created.error;
  EXPECT_THAT(created.output, HasSubstr("terms sparse"));
  const std::string lines =
      R"({"id":1,"vector":[1,0],"sparse_vectors":{"terms":{"indices":[9,3],)"
      R"("weights":[2,1]}}})"
      "\n"
      R"({"id":2,"sparse_vectors":{"terms":{"indices":[3],"weights":[4]}}})"
      "\n";
  ASSERT_EQ(Run({"import", "sparse", "-"}, lines).exit_code, 0);
  // What is printed can be read again.
  const std::vector<json> points =
      RunJson({"scroll", "sparse", "--vectors", "--limit", "0"});
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0]["sparse_vectors"]["terms"],
            json::parse(R"({"indices":[3,9],"weights":[1,2]})"));
  const std::string hash = ContentHash("sparse");
  ASSERT_EQ(Run({"import", "sparse", "-"},
                points[0].dump() + "\n" + points[1].dump() + "\n")
                .exit_code,
            0);
  EXPECT_EQ(ContentHash("sparse"), hash);
  const std::vector<std::string> search = {
      "search", "sparse", "--sparse-vector",
      R"({"indices":[3,9],"weights":[0.5,3]})"};
  const std::vector<json> found = RunJson(search);
  ASSERT_EQ(found[0]["hits"].size(), 2u);
  EXPECT_EQ(found[0]["hits"][0]["id"], 1);
  EXPECT_EQ(found[0]["hits"][0]["score"], 6.5);
  std::vector<std::string> explained = search;
  explained.insert(explained.end(), {"--vector", "[1,0]", "--explain"});
  const CliResult fused = Run(explained);
  ASSERT_EQ(fused.exit_code, 0) << fused.error;
  EXPECT_THAT(fused.output, HasSubstr("sparse terms"));
  EXPECT_THAT(fused.output, HasSubstr("9 6.0000, 3 0.5000"));
  const std::vector<json> by_point =
      RunJson({"search", "sparse", "--sparse-query", "1"});
  ASSERT_EQ(by_point[0]["hits"].size(), 1u);
  EXPECT_EQ(by_point[0]["hits"][0]["score"], 4);
  const CliResult wrong = Run({"search", "sparse", "--sparse-vector", "[1]"});
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_THAT(wrong.error, HasSubstr("--sparse-vector: vector: expected"));
}

TEST_F(CliSearchTest, HighlightsMarkTheWords) {
  ASSERT_EQ(Run({"collection", "create", "marked", "--dimension", "2",
                 "--text-field", "body:english"})
                .exit_code,
            0);
  ASSERT_EQ(Run({"import", "marked", "-"},
                R"({"id":1,"vector":[1,0],"body":"Photos, edited"})"
                "\n")
                .exit_code,
            0);
  const CliResult shown =
      Run({"search", "marked", "--text", "edit photo", "--highlight"});
  ASSERT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_THAT(shown.output, HasSubstr("body   **Photos**, **edited**"));
  const std::vector<json> found =
      RunJson({"search", "marked", "--text", "edit photo", "--fragment-bytes",
               "7", "--fragments", "2"});
  EXPECT_EQ(found[0]["hits"][0]["highlights"],
            json::parse(R"([{"field":"body","fragments":[)"
                        R"({"text":"Photos","value":0,"begin":0,)"
                        R"("matches":[[0,6]]},)"
                        R"({"text":"edited","value":0,"begin":8,)"
                        R"("matches":[[0,6]]}]}])"));
  const CliResult wrong = Run(
      {"search", "marked", "--text", "edit", "--highlight-fields", "title"});
  EXPECT_THAT(wrong.error, HasSubstr("highlight.fields[0]"));
}

}  // namespace
}  // namespace sextant
