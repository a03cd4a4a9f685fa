// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "tests/cli/cli_fixture.h"

namespace sextant {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class CliCutOffTest : public CliTest {
 protected:
  static void SetUpTestSuite() {
    CliTest::SetUpTestSuite();
    ImportDemo("docs");
  }
};

TEST_F(CliCutOffTest, AGapEndsTheAnswer) {
  const json cut = RunJson({"search", "docs", "--id", "42", "--limit", "100",
                            "--cut-off", "gap"})[0];
  EXPECT_EQ(cut["cut_off"]["candidates"], 100);
  EXPECT_EQ(cut["hits"].size(), cut["cut_off"]["kept"].get<size_t>());
  EXPECT_LT(cut["hits"].size(), 100U);
  const CliResult none =
      Run({"search", "docs", "--id", "42", "--cut-off", "gap:size=1.5,empty"});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_THAT(none.error, HasSubstr("nothing relevant: the best of 100"));
  EXPECT_EQ(Run({"search", "docs", "--id", "42", "--cut-off", "gap",
                 "--min-score", "0.5"})
                .exit_code,
            2);
  EXPECT_EQ(
      Run({"search", "docs", "--id", "42", "--cut-off", "wide"}).exit_code, 2);
}

// Any labels do for what is tested here: the three nearest are right.
TEST_F(CliCutOffTest, FromLabelsToAnAdapterAndBack) {
  std::string labels;
  for (const json& answer : RunJson({"search", "docs", "--vector-file",
                                     "demo/queries.npy", "--limit", "3"})) {
    for (const json& hit : answer["hits"]) {
      labels += answer["query"].dump() + "\t" + hit["id"].dump() + "\t1\n";
    }
  }
  const std::string file = WriteFile("labels.tsv", labels);
  const std::vector<json> fitted =
      RunJson({"adapter", "fit", "docs", "good", "--queries",
               "demo/queries.npy", "--labels", file, "--epochs", "3",
               "--hidden", "4", "--recall", "0.9", "--seed", "5"});
  ASSERT_EQ(fitted.size(), 1U);
  EXPECT_GE(fitted[0][0]["fit"]["recall"].get<double>(), 0.9);
  // All families are tried unless one is named.
  ASSERT_EQ(fitted[0][0]["fit"]["families"].size(), 4U);
  for (const json& family : fitted[0][0]["fit"]["families"]) {
    EXPECT_LE(family["average_precision"],
              fitted[0][0]["fit"]["average_precision"]);
  }
  const CliResult table =
      Run({"adapter", "fit", "docs", "good", "--queries", "demo/queries.npy",
           "--labels", file, "--epochs", "3", "--hidden", "4", "--recall",
           "0.9", "--seed", "5"});
  EXPECT_EQ(table.exit_code, 0) << table.error;
  for (const char* part : {"average precision", "linear", "square_root",
                           "quadratic", "power", "(cosine)", "held-out"}) {
    EXPECT_THAT(table.output, HasSubstr(part));
  }
  const json one =
      RunJson({"adapter", "fit", "docs", "one", "--queries", "demo/queries.npy",
               "--labels", file, "--epochs", "3", "--hidden", "4", "--family",
               "quadratic"})[0][0];
  EXPECT_EQ(one["family"], "quadratic");
  EXPECT_EQ(one["fit"]["families"].size(), 1U);
  EXPECT_EQ(Run({"adapter", "delete", "docs", "one"}).exit_code, 0);

  const json found =
      RunJson({"search", "docs", "--vector-file", "demo/queries.npy", "--row",
               "0", "--limit", "50", "--cut-off", "adapter:good"})[0];
  EXPECT_LT(found["hits"].size(), 50U);

  const json listed = RunJson({"adapter", "list", "docs", "--layers"})[0][0];
  const std::string model = WriteFile("model.json", listed.dump());
  RunJson({"adapter", "put", "docs", "copy", "--file", model});
  const json same =
      RunJson({"search", "docs", "--vector-file", "demo/queries.npy", "--row",
               "0", "--limit", "50", "--cut-off", "adapter:copy"})[0];
  EXPECT_EQ(same["hits"], found["hits"]);
  EXPECT_EQ(Run({"adapter", "delete", "docs", "copy"}).exit_code, 0);
  EXPECT_EQ(Run({"adapter", "delete", "docs", "copy"}).exit_code, 3);

  const std::string wrong = WriteFile("wrong.tsv", "0\t1\nno line\n");
  const CliResult refused = Run({"adapter", "fit", "docs", "bad", "--queries",
                                 "demo/queries.npy", "--labels", wrong});
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_THAT(refused.error, HasSubstr("wrong.tsv:2: expected ROW ID"));
}

}  // namespace
}  // namespace sextant
