// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

#include "base/status_matchers.h"
#include "clients/cpp/client.h"
#include "tests/cli/cli_process.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace sextant {

// One real server for all tests of a suite; each test uses a collection of its
// own. Tests run in the repository's root, where demo/ is.
class CliTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir();
    absl::StatusOr<std::unique_ptr<ServerProcess>> server =
        ServerProcess::Start({.data_dir = folder_->path() + "/data"});
    ASSERT_OK(server.status());
    server_ = server->release();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
    server_ = nullptr;
    folder_ = nullptr;
  }

  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    ASSERT_OK_AND_ASSIGN(client_,
                         client::Client::Connect(server_->grpc_address()));
  }

  static std::string folder() { return folder_->path(); }
  static std::string server() { return server_->grpc_address(); }

  static std::vector<std::string> WithServer(
      std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server()});
    return arguments;
  }

  static CliResult Run(const std::vector<std::string>& arguments,
                       const std::string& input = "") {
    return RunCli(folder(), WithServer(arguments), input);
  }

  // Runs it with --output json and parses the lines it prints.
  static std::vector<nlohmann::json> RunJson(std::vector<std::string> arguments,
                                             const std::string& input = "") {
    arguments.insert(arguments.end(), {"--output", "json"});
    const CliResult result = Run(arguments, input);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    std::vector<nlohmann::json> lines;
    for (const absl::string_view line :
         absl::StrSplit(result.output, '\n', absl::SkipEmpty())) {
      lines.push_back(
          nlohmann::json::parse(line.begin(), line.end(), nullptr, false));
      EXPECT_FALSE(lines.back().is_discarded()) << line;
    }
    return lines;
  }

  // Imports the demo packages into a new collection.
  static void ImportDemo(const std::string& collection) {
    const CliResult created = Run(
        {"collection", "create", collection, "--dimension", "512", "--metric",
         "cosine", "--payload-field", "section:keyword", "--payload-field",
         "tags:keyword", "--payload-field", "size:integer:window"});
    ASSERT_EQ(created.exit_code, 0) << created.error;
    const CliResult imported = Run({"import", collection, "demo/packages.jsonl",
                                    "--vectors", "demo/packages.npy"});
    ASSERT_EQ(imported.exit_code, 0) << imported.error;
  }

  static std::string WriteFile(const std::string& name,
                               const std::string& content) {
    const std::string path = folder() + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::string ContentHash(const std::string& collection) {
    const auto info = client_->GetCollection(collection);
    EXPECT_OK(info.status());
    return info.ok() ? info->content_hash : "";
  }

  std::unique_ptr<client::Client> client_;

 private:
  static inline TempDir* folder_ = nullptr;
  static inline ServerProcess* server_ = nullptr;
};

}  // namespace sextant
