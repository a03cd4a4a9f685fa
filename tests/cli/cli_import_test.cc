// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "tests/cli/cli_fixture.h"
#include "tests/support/eventually.h"

namespace sextant {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class CliImportTest : public CliTest {};

// The state file appears with the first acknowledgement.
bool WaitForFile(const std::string& path) {
  return Eventually([&] { return std::filesystem::exists(path); },
                    absl::Seconds(60));
}

TEST_F(CliImportTest, GoesOnAfterAKill) {
  ImportDemo("whole");
  ASSERT_EQ(
      Run({"collection", "create", "killed", "--dimension", "512"}).exit_code,
      0);
  const std::string state = folder() + "/killed.json";
  std::vector<std::string> arguments = {"import",
                                        "killed",
                                        "demo/packages.jsonl",
                                        "--vectors",
                                        "demo/packages.npy",
                                        "--state-file",
                                        state};
  uint64_t before = 0;
  {
    // One point a message: far more messages than can pass before the kill.
    std::vector<std::string> slow = WithServer(arguments);
    slow.insert(slow.end(), {"--batch", "1", "--window", "1"});
    CliProcess import(folder(), slow);
    ASSERT_TRUE(WaitForFile(state));
    import.Kill();
    EXPECT_EQ(import.Wait().exit_code, 137);
    ASSERT_OK_AND_ASSIGN(const client::CountResult count,
                         client_->Count("killed"));
    before = count.count;
    ASSERT_GT(before, 0u);
    ASSERT_LT(before, 4000u);
  }
  arguments.emplace_back("--resume");
  const std::vector<json> summary = RunJson(arguments);
  ASSERT_EQ(summary.size(), 1u);
  const uint64_t skipped = summary[0]["skipped"];
  EXPECT_GT(skipped, 0u);
  EXPECT_LE(skipped, before);
  EXPECT_EQ(summary[0]["points"], 4000 - skipped);
  EXPECT_EQ(ContentHash("killed"), ContentHash("whole"));
  EXPECT_FALSE(std::filesystem::exists(state));
}

TEST_F(CliImportTest, AStateOfOtherContentIsNotResumed) {
  const std::string state = folder() + "/other.json";
  const std::string good = "{\"id\":1,\"vector\":[1,0]}\n";
  const std::string path = WriteFile("other.jsonl", good + "broken\n");
  const std::vector<std::string> arguments = {
      "import", "other", path, "--create", "--state-file", state, "--resume"};
  CliResult result = Run(arguments);
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.error, HasSubstr("nothing to resume"));
  EXPECT_THAT(result.error, HasSubstr("--resume goes on"));
  WriteFile("other.jsonl", good + "{\"id\":2,\"vector\":[0,1]}\n");
  result = Run(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("has changed since"));
  EXPECT_THAT(result.output, HasSubstr("imported 2 points"));
  EXPECT_THAT(result.output, HasSubstr("1 new, 1 overwritten"));
}

TEST_F(CliImportTest, ABrokenLineKeepsWhatCameBefore) {
  const std::string path = WriteFile(
      "broken.jsonl",
      "{\"id\":1,\"vector\":[1,0]}\n{\"id\":2,\"vector\":[0,1]}\n{\"id\":\n");
  const CliResult result = Run({"import", "broken", path, "--create"});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.error, HasSubstr("broken.jsonl:3: not JSON"));
  EXPECT_EQ(Run({"count", "broken"}).output, "2\n");
}

TEST_F(CliImportTest, RowsOfAMatrixMakeACollection) {
  const CliResult result =
      Run({"import", "matrix", "demo/packages.npy", "--create", "--metric",
           "ip", "--first-id", "100"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const std::vector<json> info = RunJson({"collection", "get", "matrix"});
  EXPECT_EQ(info[0]["points"], 4000);
  EXPECT_EQ(info[0]["vector_fields"][0]["metric"], "ip");
  EXPECT_EQ(RunJson({"get", "matrix", "4099"}).size(), 1u);
}

TEST_F(CliImportTest, WhatScrollPrintsCanBeImported) {
  ImportDemo("original");
  const CliResult dump = Run(
      {"scroll", "original", "--limit", "0", "--vectors", "--output", "json"});
  ASSERT_EQ(dump.exit_code, 0);
  const CliResult copied =
      Run({"import", "copy", "-", "--create"}, dump.output);
  ASSERT_EQ(copied.exit_code, 0) << copied.error;
  EXPECT_EQ(ContentHash("copy"), ContentHash("original"));
}

TEST_F(CliImportTest, StringIdsFromAKey) {
  const CliResult result =
      Run({"import", "named", "demo/packages.jsonl", "--vectors",
           "demo/packages.npy", "--id-field", "name", "--create"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const std::vector<json> point = RunJson({"get", "named", "gimp-gmic"});
  ASSERT_EQ(point.size(), 1u);
  EXPECT_EQ(point[0]["id"], "gimp-gmic");
  EXPECT_EQ(point[0]["payload"]["name"], "gimp-gmic");
  EXPECT_EQ(Run({"delete", "named", "gimp-gmic", "no-such"}).output,
            "deleted 1 of 2 points\n");
  EXPECT_EQ(Run({"get", "named", "gimp-gmic"}).exit_code, 3);
}

TEST_F(CliImportTest, SeveralVectorFields) {
  ASSERT_EQ(Run({"collection", "create", "shop", "--vector-field",
                 "title:2:cosine", "--vector-field", "photo:1:l2"})
                .exit_code,
            0);
  const std::string lines =
      "{\"id\":1,\"vectors\":{\"title\":[1,0],\"photo\":[3]},\"n\":1}\n"
      "{\"id\":2,\"vectors\":{\"title\":[0,1]}}\n";
  const CliResult result = Run({"import", "shop", "-"}, lines);
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const std::vector<json> hits =
      RunJson({"search", "shop", "--field", "photo", "--vector", "[1]"});
  ASSERT_EQ(hits[0]["hits"].size(), 1u);
  EXPECT_EQ(hits[0]["hits"][0]["score"], -4);
  const CliResult unnamed =
      Run({"import", "shop", "-"}, "{\"id\":3,\"vector\":[1,0]}\n");
  EXPECT_EQ(unnamed.exit_code, 5);
  EXPECT_THAT(unnamed.error, HasSubstr("name one with --field"));
}

TEST_F(CliImportTest, CollectionsCanBeDropped) {
  ASSERT_EQ(Run({"collection", "create", "gone", "--dimension", "3"}).exit_code,
            0);
  const CliResult result = Run({"collection", "delete", "gone"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.output, "deleted collection 'gone' with 0 points\n");
  EXPECT_EQ(Run({"collection", "get", "gone"}).exit_code, 3);
}

}  // namespace
}  // namespace sextant
