// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/json_text.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace sextant::cli {
namespace {

using testing::ElementsAre;

TEST(JsonTextTest, PointsAreOneLineAndExact) {
  const client::Point point = {
      .id = ~uint64_t{0},
      .vectors = {{"a", {0.1F, -2, 1e-20F}}},
      .payload = "{\n \"n\": 9007199254740993,\n \"t\": \"ž\\n\"}"};
  EXPECT_EQ(PointJson(point),
            R"({"id":18446744073709551615,"payload":{"n":9007199254740993,)"
            R"("t":"ž\n"},"vectors":{"a":[0.1,-2,1e-20]}})");
  EXPECT_EQ(
      PointJson({.id = std::string("a\"b"), .vectors = {}, .payload = ""}),
      R"({"id":"a\"b"})");
}

TEST(JsonTextTest, BrokenUtf8StaysValidJson) {
  const std::string text = JsonString("a\xff");
  EXPECT_FALSE(nlohmann::json::parse(text, nullptr, false).is_discarded());
}

TEST(JsonTextTest, SearchAnswersHaveTheDocumentedKeys) {
  client::SearchResult result;
  result.hits.push_back({.id = uint64_t{7}, .score = .5F});
  result.applied_seq = 3;
  result.server_time = absl::Milliseconds(2);
  result.expected_recall = 0.95;
  EXPECT_EQ(SearchJson(result, ""),
            R"({"hits":[{"id":7,"score":0.5}],"applied_seq":3,)"
            R"("server_seconds":0.002,"expected_recall":0.95})");
  result.hits.clear();
  result.explanation = client::Explanation{.plan = "scan", .stages = {}};
  EXPECT_EQ(
      SearchJson(result, "5"),
      R"({"query":5,"hits":[],"applied_seq":3,"server_seconds":0.002,)"
      R"("expected_recall":0.95,"explanation":{"plan":"scan","stages":[]}})");
}

TEST(JsonTextTest, CollectionsParse) {
  client::CollectionInfo info;
  info.name = "docs";
  info.schema.vector_fields.push_back({.name = "x", .dimension = 3});
  info.create_time = absl::FromUnixSeconds(0);
  const auto json = nlohmann::json::parse(CollectionJson(info));
  EXPECT_EQ(json["vector_fields"][0]["metric"], "cosine");
  EXPECT_EQ(json["create_time"], "1970-01-01T00:00:00+00:00");
  EXPECT_EQ(json["index"]["building"], false);
  EXPECT_EQ(json["text_field_change"], nullptr);
  info.text_field_change = client::TextFieldChange{
      .next = {.name = "body", .language = "english"}, .points_total = 7};
  EXPECT_EQ(nlohmann::json::parse(CollectionJson(info))["text_field_change"],
            nlohmann::json::parse(R"({"field":{"name":"body",)"
                                  R"("analyzer":"standard",)"
                                  R"("language":"english"},)"
                                  R"("points_done":0,"points_total":7})"));
}

TEST(JsonTextTest, CellsOfAPayload) {
  EXPECT_THAT(PayloadCells(R"({"a":"x","b":[1,2],"c":1.5,"d":null})",
                           {"a", "b", "c", "d", "e"}),
              ElementsAre("x", "[1,2]", "1.5", "", ""));
  EXPECT_THAT(PayloadCells("", {"a"}), ElementsAre(""));
  EXPECT_THAT(PayloadCells("[1]", {"a"}), ElementsAre(""));
}

}  // namespace
}  // namespace sextant::cli
