// SPDX-License-Identifier: Apache-2.0
//
// `sextant collection set-text-field`.

#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "tests/cli/cli_fixture.h"

namespace sextant {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class CliTextFieldTest : public CliTest {
 protected:
  static void MakeTexts(const std::string& collection,
                        const std::string& field) {
    const CliResult created = Run({"collection", "create", collection,
                                   "--dimension", "2", "--text-field", field});
    ASSERT_EQ(created.exit_code, 0) << created.error;
    const CliResult imported =
        Run({"import", collection, "-"},
            R"({"id":1,"vector":[1,0],"body":"The photos, edited"})"
            "\n"
            R"({"id":2,"vector":[0,1],"body":"A photo of the weather"})"
            "\n");
    ASSERT_EQ(imported.exit_code, 0) << imported.error;
  }
  static json Hits(const std::string& collection, const std::string& words) {
    json hits = RunJson({"search", collection, "--text", words})[0]["hits"];
    for (json& hit : hits) {
      hit = {hit["id"], hit["score"]};
    }
    return hits;
  }
  static CliResult Set(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"collection", "set-text-field"});
    return Run(arguments);
  }
};

TEST_F(CliTextFieldTest, ALanguageIsChosenLater) {
  MakeTexts("words", "body");
  MakeTexts("stems", "body:english");
  EXPECT_EQ(Hits("words", "photos").size(), 1U);
  const CliResult set = Set({"words", "body", "--analyzer", "english"});
  ASSERT_EQ(set.exit_code, 0) << set.error;
  EXPECT_EQ(set.output,
            "'body' of collection 'words' is text, standard english\n");
  for (const char* words : {"photos", "the edit", "weather"}) {
    EXPECT_EQ(Hits("words", words), Hits("stems", words)) << words;
  }
  const json info = RunJson({"collection", "get", "words"})[0];
  EXPECT_EQ(info["text_field_change"], nullptr);
  EXPECT_EQ(info["text_fields"][0]["language"], "english");
  // Again, in JSON: nothing to do.
  EXPECT_EQ(RunJson({"collection", "set-text-field", "words", "body",
                     "--analyzer", "english"})[0]["text_fields"],
            info["text_fields"]);
}

TEST_F(CliTextFieldTest, AllPartsOfAnAnalyser) {
  MakeTexts("parts", "body");
  ASSERT_EQ(Set({"parts", "body", "--analyzer", "standard", "--stop-word",
                 "the", "--stop-word", "weather"})
                .exit_code,
            0);
  EXPECT_EQ(Hits("parts", "the weather").size(), 0U);
  ASSERT_EQ(Set({"parts", "body", "--no-positions", "--no-wait"}).exit_code, 0);
  ASSERT_EQ(Set({"parts", "body", "--no-positions"}).exit_code, 0) << "waits";
  EXPECT_THAT(Run({"search", "parts", "--text", "\"a photo\""}).error,
              HasSubstr("positions"));
  EXPECT_EQ(Hits("parts", "the weather").size(), 0U) << "as it was";
  ASSERT_EQ(Set({"parts", "body", "--analyzer", "edge-ngram", "--min-gram", "3",
                 "--max-gram", "8", "--positions"})
                .exit_code,
            0);
  EXPECT_EQ(Hits("parts", "wea").size(), 1U);
}

TEST_F(CliTextFieldTest, MistakesAreNamed) {
  MakeTexts("mistakes", "body");
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    const char* message;
  };
  for (const Case& c : std::vector<Case>{
           {{"mistakes", "body"}, 2, "nothing to change"},
           {{"mistakes", "body", "--stop-word", "a"}, 2, "--analyzer"},
           {{"mistakes", "body", "--positions", "--no-positions"},
            2,
            "--no-positions"},
           {{"mistakes", "title", "--no-positions"}, 1, "no such text field"},
           {{"mistakes", "body", "--analyzer", "klingon"}, 1, "klingon"},
           {{"none", "body", "--analyzer", "english"}, 3, "none"},
       }) {
    const CliResult result = Set(c.arguments);
    EXPECT_EQ(result.exit_code, c.exit_code) << result.error;
    EXPECT_THAT(result.error, HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace sextant
