// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "tests/cli/cli_fixture.h"

namespace sextant {
namespace {

using nlohmann::json;

class CliNormalizerTest : public CliTest {
 protected:
  static void SetUpTestSuite() {
    CliTest::SetUpTestSuite();
    ImportDemo("hubs");
  }
};

TEST_F(CliNormalizerTest, FromABankToACorrectedSearch) {
  const std::vector<json> sampled =
      RunJson({"bank", "sample", "hubs", "some", "--count", "500"});
  ASSERT_EQ(sampled.size(), 1U);
  EXPECT_EQ(sampled[0][0]["count"], 500);
  EXPECT_EQ(sampled[0][0]["gallery"], true);
  const std::vector<json> made =
      RunJson({"normalizer", "put", "hubs", "is", "--method",
               "inverted_softmax", "--query-bank", "some", "--beta", "30"});
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0][0]["beta"], 30);
  EXPECT_EQ(made[0][0]["segments_ready"], made[0][0]["segments"]);

  const json raw =
      RunJson({"search", "hubs", "--id", "42", "--limit", "50"})[0]["hits"];
  const json none = RunJson({"search", "hubs", "--id", "42", "--limit", "50",
                             "--normalizer", "none"})[0]["hits"];
  EXPECT_EQ(raw, none);
  const json corrected = RunJson({"search", "hubs", "--id", "42", "--limit",
                                  "50", "--normalizer", "is"})[0]["hits"];
  ASSERT_EQ(corrected.size(), 50U);
  EXPECT_NE(raw, corrected);

  EXPECT_EQ(RunJson({"normalizer", "list", "hubs"})[0].size(), 1U);
  EXPECT_EQ(RunJson({"bank", "list", "hubs"})[0].size(), 1U);
}

}  // namespace
}  // namespace sextant
