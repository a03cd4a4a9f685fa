// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/cli/cli_fixture.h"

namespace sextant {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr char kSmallMedia[] =
    "section in (\"graphics\", \"video\") and size < 1_000_000";

class CliFilterTest : public CliTest {
 protected:
  static void SetUpTestSuite() {
    CliTest::SetUpTestSuite();
    ImportDemo("packages");
    std::ifstream file("demo/packages.jsonl");
    for (std::string line; std::getline(file, line);) {
      packages_.push_back(json::parse(line));
    }
    ASSERT_EQ(packages_.size(), 4000U);
  }

  static std::vector<uint64_t> IdsWhere(
      const std::function<bool(const json&)>& holds) {
    std::vector<uint64_t> ids;
    for (const json& package : packages_) {
      if (holds(package)) {
        ids.push_back(package["id"]);
      }
    }
    return ids;
  }
  static bool IsSmallMedia(const json& package) {
    return (package["section"] == "graphics" ||
            package["section"] == "video") &&
           package["size"] < 1'000'000;
  }

  static inline std::vector<json> packages_;
};

TEST_F(CliFilterTest, SearchesAmongWhatMatches) {
  const std::vector<json> lines =
      RunJson({"search", "packages", "--id", "42", "--limit", "10000",
               "--filter", kSmallMedia});
  ASSERT_EQ(lines.size(), 1U);
  std::vector<uint64_t> ids;
  for (const json& hit : lines[0]["hits"]) {
    ids.push_back(hit["id"]);
  }
  std::sort(ids.begin(), ids.end());
  std::vector<uint64_t> expected = IdsWhere(IsSmallMedia);
  std::erase(expected, 42U);
  EXPECT_EQ(ids, expected);
}

TEST_F(CliFilterTest, CountsAndScrolls) {
  const std::vector<uint64_t> expected = IdsWhere(IsSmallMedia);
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(RunJson({"count", "packages", "--filter", kSmallMedia})[0]["count"],
            expected.size());
  std::vector<uint64_t> ids;
  int64_t last = INT64_MAX;
  for (const json& point : RunJson({"scroll", "packages", "--limit", "0",
                                    "--page-size", "7", "--order-by", "size",
                                    "--descending", "--filter", kSmallMedia})) {
    ids.push_back(point["id"]);
    EXPECT_LE(point["payload"]["size"], last);
    last = point["payload"]["size"];
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, expected);
}

TEST_F(CliFilterTest, GroupsHaveTheBestHitsOfEachValue) {
  const json result =
      RunJson({"search", "packages", "--id", "42", "--exact", "--group-by",
               "section", "--hits-per-group", "3", "--limit", "5"})[0];
  ASSERT_EQ(result["groups"].size(), 5U);
  // The same from all hits.
  const json all = RunJson(
      {"search", "packages", "--id", "42", "--exact", "--limit", "4000"})[0];
  size_t hit = 0;
  for (const json& group : result["groups"]) {
    std::vector<uint64_t> expected;
    for (const json& candidate : all["hits"]) {
      const uint64_t id = candidate["id"];
      if (packages_[id]["section"] == group["value"] && expected.size() < 3) {
        expected.push_back(id);
      }
    }
    std::vector<uint64_t> ids;
    for (uint64_t i = 0; i < group["hits"]; ++i) {
      ids.push_back(result["hits"][hit++]["id"]);
    }
    EXPECT_LE(ids.size(), expected.size());
    expected.resize(ids.size());
    EXPECT_EQ(ids, expected) << group;
  }
  EXPECT_EQ(hit, result["hits"].size());
  const CliResult table = Run({"search", "packages", "--id", "42", "--group-by",
                               "section", "--fields", "name", "--explain"});
  EXPECT_EQ(table.exit_code, 0) << table.error;
  EXPECT_THAT(table.output, HasSubstr("group by section, hits 1: 10 "
                                      "groups among "));
}

TEST_F(CliFilterTest, DiversityChangesTheOrder) {
  const json plain =
      RunJson({"search", "packages", "--id", "42", "--limit", "10"})[0];
  const json diverse = RunJson({"search", "packages", "--id", "42", "--limit",
                                "10", "--diversity", "0.8"})[0];
  ASSERT_EQ(diverse["hits"].size(), 10U);
  EXPECT_EQ(diverse["hits"][0], plain["hits"][0]);
  EXPECT_NE(diverse["hits"], plain["hits"]);
  EXPECT_EQ(
      Run({"search", "packages", "--id", "42", "--diversity", "2"}).exit_code,
      1);
}

TEST_F(CliFilterTest, FacetsCount) {
  std::map<std::string, uint64_t> sections;
  for (const json& package : packages_) {
    ++sections[package["section"]];
  }
  const json facets =
      RunJson({"facets", "packages", "section", "--limit", "1000"})[0];
  EXPECT_EQ(facets["distinct"], sections.size());
  ASSERT_EQ(facets["facets"].size(), sections.size());
  for (const json& facet : facets["facets"]) {
    EXPECT_EQ(facet["points"], sections[facet["value"]]);
  }
  const CliResult table =
      Run({"facets", "packages", "tags", "--filter", "section = \"games\""});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.output, HasSubstr("use::gameplaying"));
}

TEST_F(CliFilterTest, DeletesWhatMatches) {
  ImportDemo("shrinking");
  const std::vector<uint64_t> expected = IdsWhere(IsSmallMedia);
  EXPECT_EQ(
      RunJson({"delete", "shrinking", "--filter", kSmallMedia})[0]["deleted"],
      expected.size());
  EXPECT_EQ(RunJson({"count", "shrinking"})[0]["count"],
            packages_.size() - expected.size());
  EXPECT_EQ(Run({"delete", "shrinking", "1", "--filter", "size = 1"}).exit_code,
            2);
}

TEST_F(CliFilterTest, AFieldIsAddedLater) {
  ImportDemo("extended");
  const CliResult early =
      Run({"count", "extended", "--filter", "depends < 10"});
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_THAT(early.error, HasSubstr("unknown field 'depends'"));
  const CliResult added =
      Run({"collection", "add-field", "extended", "depends:integer:window"});
  ASSERT_EQ(added.exit_code, 0) << added.error;
  EXPECT_EQ(added.output,
            "added 'depends' (integer, window) to collection 'extended'\n");
  EXPECT_EQ(
      RunJson({"count", "extended", "--filter", "depends < 10"})[0]["count"],
      IdsWhere([](const json& p) { return p["depends"] < 10; }).size());
  const json info = RunJson({"collection", "get", "extended"})[0];
  EXPECT_EQ(info["fills"], json::array());
  EXPECT_EQ(info["payload_fields"].size(), 4U);
  // A field that nothing fits.
  const json misfits =
      RunJson({"collection", "add-field", "extended", "name:float"})[0];
  EXPECT_EQ(misfits["index"]["payload_misfits"], packages_.size());
  EXPECT_EQ(
      Run({"collection", "add-field", "extended", "depends:integer"}).exit_code,
      1);
  EXPECT_EQ(Run({"collection", "add-field", "extended", "depends"}).exit_code,
            2);
}

TEST_F(CliFilterTest, AMistakeIsShownWhereItIs) {
  const CliResult result =
      Run({"count", "packages", "--filter", "size < large"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.error, HasSubstr("filter text, column 8"));
  EXPECT_THAT(result.error, HasSubstr("\nsize < large\n       ^\n"));
}

}  // namespace
}  // namespace sextant
