// SPDX-License-Identifier: Apache-2.0
#include "server/command_line.h"

#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/version.h"

namespace sextant {
namespace {

using testing::HasSubstr;

ExitCommand ExpectExit(const std::vector<std::string>& arguments) {
  const Command command = ParseCommandLine(arguments, {});
  const auto* const exit = std::get_if<ExitCommand>(&command);
  EXPECT_NE(exit, nullptr);
  return exit == nullptr ? ExitCommand() : *exit;
}

HealthcheckCommand ExpectHealthcheck(
    const std::vector<std::string>& arguments,
    const std::vector<std::string>& environment = {}) {
  const Command command = ParseCommandLine(arguments, environment);
  const auto* const check = std::get_if<HealthcheckCommand>(&command);
  EXPECT_NE(check, nullptr);
  return check == nullptr ? HealthcheckCommand() : *check;
}

TEST(CommandLineTest, FlagsBecomeConfig) {
  const Command command = ParseCommandLine(
      {"--grpc.listen", "127.0.0.1:1", "--log.level=debug", "--insecure",
       "--grpc.search_queue", "5", "--grpc.search_queue", "6"},
      {"SEXTANT__LOG__FORMAT=json"});
  const auto* const serve = std::get_if<ServeCommand>(&command);
  ASSERT_NE(serve, nullptr);
  EXPECT_EQ(serve->config.grpc.listen, "127.0.0.1:1");
  EXPECT_EQ(serve->config.log.level, "debug");
  EXPECT_EQ(serve->config.log.format, "json");
  EXPECT_EQ(serve->config.grpc.search_queue, 6);
  EXPECT_TRUE(serve->config.server.insecure);
}

TEST(CommandLineTest, InformationGoesToExitZero) {
  EXPECT_THAT(ExpectExit({"--version"}).output,
              HasSubstr(std::string(Version())));
  const ExitCommand help = ExpectExit({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, HasSubstr("Examples:"));
  EXPECT_THAT(help.output, HasSubstr("--storage.data_dir"));
  EXPECT_THAT(help.output, HasSubstr("healthcheck"));
  EXPECT_THAT(ExpectExit({"--print-config"}).output, HasSubstr("# default"));
  EXPECT_THAT(ExpectExit({"--print-config-reference"}).output,
              HasSubstr("| `grpc.listen` |"));
}

struct BadLine {
  const char* name;
  std::vector<std::string> arguments;
  const char* expected;
};

TEST(CommandLineTest, MistakesExitWithTwoAndAHint) {
  const std::vector<BadLine> cases = {
      {"unknown flag",
       {"--grpc.lisen", "x"},
       "unknown flag --grpc.lisen; did you mean --grpc.listen?"},
      {"unknown flag with equals",
       {"--grpc.lisen=x"},
       "unknown flag --grpc.lisen; did you mean --grpc.listen?"},
      {"stray word", {"serve"}, "unknown argument 'serve'"},
      {"missing value", {"--grpc.listen"}, "--grpc.listen"},
      {"bad value", {"--grpc.read_threads", "0"}, "grpc.read_threads"},
      {"missing file", {"--config", "/nowhere.yaml"}, "/nowhere.yaml"},
      {"public address", {"--grpc.listen", "0.0.0.0:1"}, "--insecure"},
      {"bad timeout", {"healthcheck", "--timeout-ms", "0"}, "--timeout-ms"},
      {"bad address", {"healthcheck", "--address", "here"}, "--address"},
  };
  for (const BadLine& bad : cases) {
    const ExitCommand exit = ExpectExit(bad.arguments);
    EXPECT_EQ(exit.code, 2) << bad.name;
    EXPECT_THAT(exit.output, HasSubstr(bad.expected)) << bad.name;
  }
}

TEST(CommandLineTest, HealthcheckAsksTheConfiguredAddress) {
  EXPECT_EQ(ExpectHealthcheck({"healthcheck"}).target, "127.0.0.1:6350");
  EXPECT_EQ(
      ExpectHealthcheck({"healthcheck"}, {"SEXTANT__GRPC__LISTEN=0.0.0.0:7"})
          .target,
      "127.0.0.1:7");
  EXPECT_EQ(ExpectHealthcheck({"healthcheck", "--address", "[::1]:8"}).target,
            "[::1]:8");
  EXPECT_EQ(ExpectHealthcheck({"healthcheck", "--grpc.listen", "[::1]:9",
                               "--timeout-ms", "5"})
                .timeout_ms,
            5);
  EXPECT_EQ(ExpectHealthcheck({"healthcheck", "--grpc.listen", "",
                               "--grpc.unix_socket", "/run/s"})
                .target,
            "unix:/run/s");
}

}  // namespace
}  // namespace sextant
