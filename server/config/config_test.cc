// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "server/config/config_keys.h"
#include "server/config/config_load.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A file that is removed with the test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& content) {
    std::ofstream(path_) << content;
  }
  const std::string& path() const { return path_; }

 private:
  const TempDir folder_;
  const std::string path_ = folder_.Child("sextant.yaml");
};

TEST(ConfigKeysTest, TableIsSound) {
  std::set<std::string> names;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(names.insert(std::string(key.name)).second) << key.name;
    EXPECT_NE(key.name.find('.'), absl::string_view::npos);
    EXPECT_EQ(key.help.find('\n'), absl::string_view::npos);
    EXPECT_EQ(key.help.find('|'), absl::string_view::npos) << key.name;
    // Every default is a value the key takes.
    Config config;
    EXPECT_OK(SetConfigValue(key, ConfigValueText(key, Config()), &config))
        << key.name;
    EXPECT_EQ(FindConfigKey(key.name), &key);
  }
}

TEST(ConfigKeysTest, NearestKeyIsTheOneMeant) {
  EXPECT_EQ(NearestConfigKey("grpc.lisen"), "grpc.listen");
  EXPECT_EQ(NearestConfigKey("storage.datadir"), "storage.data_dir");
  EXPECT_EQ(NearestConfigKey("log.slow-query-ms"), "log.slow_query_ms");
  EXPECT_FALSE(NearestConfigKey(std::string(1 << 20, 'x')).empty());
}

TEST(ConfigLoadTest, LaterSourcesWin) {
  const ConfigFile file(
      "grpc:\n"
      "  listen: 127.0.0.1:1001\n"
      "  search_queue: 11\n"
      "storage:\n"
      "  memory_mb: 64\n"
      "engine:\n"
      "  default_recall_target: 0.875\n"
      "log:\n");
  ConfigSources sources;
  sources.file = file.path();
  sources.environment = {"PATH=/bin", "SEXTANT__GRPC__LISTEN=127.0.0.1:1002",
                         "SEXTANT__GRPC__SEARCH_QUEUE=12", "SEXTANT_SIMD=avx2"};
  sources.flags = {{"grpc.listen", "127.0.0.1:1003"}};
  ASSERT_OK_AND_ASSIGN(const LoadedConfig loaded, LoadConfig(sources));
  EXPECT_EQ(loaded.config.grpc.listen, "127.0.0.1:1003");
  EXPECT_EQ(loaded.config.grpc.search_queue, 12);
  EXPECT_EQ(loaded.config.storage.memory_mb, 64);
  EXPECT_EQ(loaded.config.engine.default_recall_target, 0.875);
  EXPECT_EQ(loaded.config.http.listen, "127.0.0.1:6351");
  EXPECT_EQ(loaded.origins.at("grpc.listen"), "flag");
  EXPECT_EQ(loaded.origins.at("grpc.search_queue"),
            "environment SEXTANT__GRPC__SEARCH_QUEUE");
  EXPECT_EQ(loaded.origins.at("storage.memory_mb"),
            absl::StrCat("file ", file.path(), ":5"));
  EXPECT_EQ(loaded.origins.at("http.listen"), "default");
}

TEST(ConfigLoadTest, EmptyFilesAreFine) {
  for (const char* content : {"", "# nothing\n", "grpc:\n", "{}\n"}) {
    const ConfigFile file(content);
    EXPECT_OK(LoadConfig({.file = file.path()})) << content;
  }
}

struct BadFile {
  const char* name;
  const char* content;
  const char* expected;
};

TEST(ConfigLoadTest, BadFilesAreNamedWithTheirLine) {
  const BadFile cases[] = {
      {"unknown key", "grpc:\n  lisen: a:1\n",
       ":2: unknown key grpc.lisen; did you mean grpc.listen?"},
      {"unknown section", "grcp:\n  listen: a:1\n",
       ":1: unknown key grcp; did you mean"},
      {"not a number", "grpc:\n  search_queue: many\n",
       ":2: grpc.search_queue: must be a whole number from 1 to 100000, got "
       "'many'"},
      {"below the range", "grpc:\n  search_queue: 0\n", "got '0'"},
      {"above the range", "grpc:\n  max_message_mb: 1025\n",
       "must be a whole number from 1 to 1024 MiB, got '1025'"},
      {"negative", "grpc:\n  search_queue: -1\n", "got '-1'"},
      {"overflow", "grpc:\n  search_queue: 99999999999999999999\n", "got '9"},
      {"fraction", "storage:\n  memory_mb: 1.5\n", "got '1.5'"},
      {"not a share", "engine:\n  default_recall_target: half\n",
       ":2: engine.default_recall_target: must be a number above 0 and at "
       "most 1, got 'half'"},
      {"no share", "engine:\n  default_recall_target: 0\n", "got '0'"},
      {"more than all", "engine:\n  default_recall_target: 1.01\n",
       "got '1.01'"},
      {"share of no number", "engine:\n  default_recall_target: nan\n",
       "got 'nan'"},
      {"not a choice", "storage:\n  durability: maybe\n",
       "must be one of sync, os, got 'maybe'"},
      {"not a switch", "http:\n  enabled: yes\n",
       "must be true or false, got 'yes'"},
      {"not an address", "grpc:\n  listen: nowhere\n", "must be host:port"},
      {"list", "grpc:\n  listen: [a, b]\n", "must have one plain value"},
      {"missing value", "grpc:\n  listen:\n", "must have one plain value"},
      {"value for a section", "grpc: 7\n", "must be a section"},
      {"no sections", "- grpc\n", "must hold sections"},
      {"key twice", "grpc:\n  listen: a:1\n  listen: b:1\n",
       ":3: grpc.listen is given twice"},
      {"section twice", "grpc:\n  read_queue: 1\ngrpc:\n  read_queue: 2\n",
       ":3: section grpc is given twice"},
      {"broken YAML", "grpc: [\n", "file "},
  };
  for (const BadFile& bad : cases) {
    const ConfigFile file(bad.content);
    EXPECT_THAT(
        LoadConfig({.file = file.path()}),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 AllOf(HasSubstr(file.path()), HasSubstr(bad.expected))))
        << bad.name;
  }
}

TEST(ConfigLoadTest, MissingFileIsNamed) {
  EXPECT_THAT(LoadConfig({.file = "/nowhere/sextant.yaml"}),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("/nowhere/sextant.yaml")));
}

TEST(ConfigLoadTest, BadEnvironmentAndFlagsAreNamed) {
  EXPECT_THAT(
      LoadConfig({.environment = {"SEXTANT__GRPC__LISEN=x"}}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("environment SEXTANT__GRPC__LISEN: unknown key; did "
                         "you mean SEXTANT__GRPC__LISTEN?")));
  // Names are upper case, as documented.
  EXPECT_THAT(LoadConfig({.environment = {"SEXTANT__grpc__listen=a:1"}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(LoadConfig({.environment = {"SEXTANT__LOG__LEVEL=loud"}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("environment SEXTANT__LOG__LEVEL: "
                                 "log.level: must be one of")));
  EXPECT_THAT(LoadConfig({.flags = {{"log.level", "loud"}}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("flag: log.level: must be one of")));
}

TEST(ConfigLoadTest, EveryKeyHasAnEnvironmentName) {
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string text = ConfigValueText(key, Config());
    ASSERT_OK_AND_ASSIGN(
        const LoadedConfig loaded,
        LoadConfig({.environment = {EnvironmentName(key) + "=" + text}}));
    EXPECT_EQ(loaded.origins.at(std::string(key.name)),
              "environment " + EnvironmentName(key));
  }
}

TEST(CheckConfigTest, PublicAddressesNeedInsecure) {
  Config config;
  EXPECT_OK(CheckConfig(config));
  config.grpc.listen = "0.0.0.0:6350";
  EXPECT_THAT(CheckConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("grpc.listen"), HasSubstr("--insecure"),
                             HasSubstr("neither TLS nor authentication"))));
  config.server.insecure = true;
  EXPECT_OK(CheckConfig(config));
  config = Config();
  config.http.listen = "[::]:6351";
  EXPECT_THAT(CheckConfig(config), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("http.listen")));
  config.http.enabled = false;
  EXPECT_OK(CheckConfig(config));
}

TEST(CheckConfigTest, SomethingMustBeServed) {
  Config config;
  config.grpc.listen = "";
  EXPECT_THAT(CheckConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument));
  config.grpc.unix_socket = "/run/sextant.sock";
  EXPECT_OK(CheckConfig(config));
  config.storage.data_dir = "";
  EXPECT_THAT(CheckConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PrintConfigTest, OutputIsAConfigurationFile) {
  ConfigSources sources;
  sources.flags = {{"storage.data_dir", "/with \"quotes\"\\and: #all\t"},
                   {"grpc.search_queue", "77"},
                   {"server.insecure", "true"}};
  ASSERT_OK_AND_ASSIGN(const LoadedConfig loaded, LoadConfig(sources));
  const std::string printed = PrintConfig(loaded);
  EXPECT_THAT(printed, HasSubstr("# flag"));
  const ConfigFile file(printed);
  ASSERT_OK_AND_ASSIGN(const LoadedConfig again,
                       LoadConfig({.file = file.path()}));
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_EQ(ConfigValueText(key, again.config),
              ConfigValueText(key, loaded.config))
        << key.name;
  }
}

TEST(ConfigReferenceTest, PageIsCurrent) {
  std::ifstream file("docs/reference/configuration.md");
  std::ostringstream content;
  content << file.rdbuf();
  EXPECT_TRUE(content.str() == PrintConfigReference())
      << "run: sextantd --print-config-reference > "
         "docs/reference/configuration.md";
}

}  // namespace
}  // namespace sextant
