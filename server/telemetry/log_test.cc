// SPDX-License-Identifier: Apache-2.0
#include "server/telemetry/log.h"

#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

#include "base/utf8.h"

namespace sextant {
namespace {

using testing::EndsWith;
using testing::MatchesRegex;

// What a client may put into a name or an error.
constexpr char kHostile[] = "a\"b\\c\nd\x01\xff {\"level\":\"error\"}";

TEST(LogTest, JsonLinesAreObjectsWhateverIsInThem) {
  std::ostringstream output;
  Log log({.format = LogFormat::kJson}, &output);
  log.Warning(kHostile, {{"text", absl::string_view(kHostile)},
                         {"count", uint64_t{18446744073709551615U}},
                         {"delta", int64_t{-3}},
                         {"seconds", 0.25},
                         {"nothing", std::numeric_limits<double>::quiet_NaN()},
                         {"ok", true}});
  const std::string line = output.str();
  ASSERT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(IsValidUtf8(line));
  const nlohmann::json object = nlohmann::json::parse(line);
  EXPECT_EQ(object["level"], "warning");
  EXPECT_EQ(object["text"], object["message"]);
  EXPECT_EQ(object["count"], 18446744073709551615U);
  EXPECT_EQ(object["delta"], -3);
  EXPECT_EQ(object["seconds"], 0.25);
  EXPECT_TRUE(object["nothing"].is_null());
  EXPECT_EQ(object["ok"], true);
  EXPECT_THAT(object["time"].get<std::string>(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:"
                           "[0-9]{2}\\.[0-9]{3}Z"));
}

TEST(LogTest, TextStaysOneLine) {
  std::ostringstream output;
  Log log({.format = LogFormat::kText}, &output);
  log.Info("it's \"here\"\nnot there",
           {{"word", absl::string_view("plain")},
            {"text", absl::string_view("two words\n")},
            {"count", uint64_t{7}}});
  EXPECT_THAT(output.str(), EndsWith(" it's \"here\"\\nnot there word=plain "
                                     "text=\"two words\\n\" count=7\n"));
  EXPECT_THAT(output.str(), testing::HasSubstr("Z info    it's"));
}

TEST(LogTest, LowerLevelsAreSilent) {
  std::ostringstream output;
  Log log({.level = LogLevel::kWarning}, &output);
  EXPECT_FALSE(log.IsOn(LogLevel::kInfo));
  log.Info("quiet");
  log.Debug("quiet");
  EXPECT_TRUE(output.str().empty());
  log.Error("loud");
  EXPECT_FALSE(output.str().empty());
}

}  // namespace
}  // namespace sextant
