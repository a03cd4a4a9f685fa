// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"

#include "tests/cli/cli_fixture.h"

namespace sextant {
namespace {

using nlohmann::json;

class CliNormalizerTest : public CliTest {
 protected:
  // Seeded directions; `aside` turns them towards one axis.
  static std::vector<float> Direction(int seed, float aside) {
    std::mt19937_64 random(static_cast<uint64_t>(seed % 400) + 1);
    std::mt19937_64 noise(static_cast<uint64_t>(seed) + 7001);
    std::normal_distribution<float> normal;
    std::vector<float> vector(12);
    for (float& x : vector) {
      x = normal(random) + 0.5F * aside * normal(noise);
    }
    vector[0] += 3 * aside;
    return vector;
  }
  static std::string ReadFile(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::vector<std::string> SortedLines(const std::string& text) {
    std::vector<std::string> lines =
        absl::StrSplit(text, '\n', absl::SkipEmpty());
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  static std::string DirectionOf(int seed, float aside) {
    return json(Direction(seed, aside)).dump();
  }

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

  // A change of the bank: without waiting it may or may not be made yet.
  const json started = RunJson(
      {"bank", "sample", "hubs", "some", "--count", "400", "--no-wait"})[0][0];
  const uint64_t version = started.contains("change")
                               ? started["change"]["version"].get<uint64_t>()
                               : started["version"].get<uint64_t>();
  EXPECT_GT(version, sampled[0][0]["version"].get<uint64_t>());
  // It waits for its turn behind that one, and until it serves.
  const json waited = RunJson({"bank", "sample", "hubs", "some", "--count",
                               "300", "--seed", "2"})[0][0];
  EXPECT_FALSE(waited.contains("change"));
  EXPECT_EQ(waited["count"], 300);
  EXPECT_EQ(RunJson({"normalizer", "list", "hubs"})[0][0]["query_bank_version"],
            waited["version"]);
  const CliResult table = Run({"normalizer", "list", "hubs"});
  EXPECT_THAT(table.output, testing::HasSubstr("change"));
}

TEST_F(CliNormalizerTest, ANormalizerMayRescore) {
  const json made = RunJson({"normalizer", "put", "hubs", "scaled", "--method",
                             "nicdm", "-k", "8", "--candidates", "40"})[0][0];
  EXPECT_EQ(made["k"], 8);
  EXPECT_EQ(made["candidates"], 40);
  EXPECT_EQ(made["query_bank"], "");
  const std::vector<std::string> search = {
      "search", "hubs", "--id", "42", "--normalizer", "scaled", "--limit"};
  const auto limited = [&search](const char* limit) {
    std::vector<std::string> words = search;
    words.emplace_back(limit);
    return words;
  };
  const json hits = RunJson(limited("40"))[0]["hits"];
  ASSERT_EQ(hits.size(), 40U);
  EXPECT_LT(hits[0]["score"], 0);  // a distance
  const CliResult refused = Run(limited("41"));
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.error,
              testing::HasSubstr("limit + offset is 41, and normalizer scaled "
                                 "nicdm(k=8, candidates=40)"));
  EXPECT_EQ(Run({"normalizer", "delete", "hubs", "scaled"}).exit_code, 0);
}

TEST_F(CliNormalizerTest, HubnessOfACollection) {
  const json report = RunJson(
      {"hubness", "hubs", "--queries", "300", "-k", "5", "--hubs", "2"})[0];
  EXPECT_EQ(report["raw"]["points"], 4000);
  EXPECT_EQ(report["raw"]["queries"], 300);
  EXPECT_EQ(report["raw"]["hubs"].size(), 2U);
  EXPECT_TRUE(report["corrected"].is_null());
  EXPECT_GT(report["geometry"]["intrinsic_dimension_mean"], 1);
  ASSERT_EQ(
      RunJson({"bank", "sample", "hubs", "hubbank", "--count", "300"}).size(),
      1U);
  ASSERT_EQ(RunJson({"normalizer", "put", "hubs", "dis", "--method",
                     "inverted_softmax", "--query-bank", "hubbank"})
                .size(),
            1U);
  const CliResult table = Run({"hubness", "hubs", "--bank", "hubbank",
                               "--queries", "200", "--normalizer", "dis"});
  EXPECT_EQ(table.exit_code, 0) << table.error;
  for (const char* part :
       {"vectors of bank hubbank", "Robin Hood index", "by chance",
        "points, dis", "###", "worst hub", "Intrinsic dimension"}) {
    EXPECT_THAT(table.output, testing::HasSubstr(part));
  }
}

TEST_F(CliNormalizerTest, MineWritesPairsAndResumes) {
  // Exact, so that a merge in the background changes nothing; it may change the
  // order of equal scores.
  const std::string to = folder() + "/mined.jsonl";
  const std::vector<std::string> mine = {"mine",   "hubs",    "--to",   to,
                                         "--mode", "forward", "--exact"};
  const CliResult mined = Run(mine);
  ASSERT_EQ(mined.exit_code, 0) << mined.error;
  EXPECT_THAT(mined.output, testing::HasSubstr(" pairs in "));
  const std::vector<std::string> lines = SortedLines(ReadFile(to));
  ASSERT_GT(lines.size(), 1000U);
  for (const std::string& line : lines) {
    const json pair = json::parse(line);
    EXPECT_LT(pair["source"], pair["target"]);
    EXPECT_LT(pair["target"], 4000);
  }
  const CliResult piped = Run({"mine", "hubs", "--mode", "forward", "--exact"});
  EXPECT_EQ(SortedLines(piped.output), lines);

  std::vector<std::string> again = mine;
  again.push_back("--resume");
  const CliResult nothing = Run(again);
  EXPECT_EQ(nothing.exit_code, 5);
  EXPECT_THAT(nothing.error, testing::HasSubstr("nothing there to resume"));
  EXPECT_EQ(Run({"mine", "hubs", "--resume"}).exit_code, 2);
  EXPECT_EQ(Run({"mine", "nothing"}).exit_code, 3);
  EXPECT_EQ(Run({"mine", "hubs", "--margin", "wide"}).exit_code, 2);

  // As after a kill in the middle of a line behind the first message.
  std::string token;
  std::string first;
  size_t count = 0;
  client::MineRequest request;
  request.mode = client::MiningMode::kForward;
  request.exact = true;
  const absl::Status stopped = client_->MinePairs(
      "hubs", "", request, [&](const client::MiningStep& step) {
        for (const client::MinedPair& pair : step.pairs) {
          nlohmann::ordered_json line;
          line["source"] = std::get<uint64_t>(pair.source);
          line["target"] = std::get<uint64_t>(pair.target);
          line["score"] = pair.score;
          first += line.dump() + "\n";
        }
        count = step.pairs.size();
        token = step.resume_token;
        return count > 0 ? absl::CancelledError("enough") : absl::OkStatus();
      });
  ASSERT_EQ(stopped.code(), absl::StatusCode::kCancelled);
  ASSERT_LT(count, lines.size());
  std::ofstream(to, std::ios::trunc) << first << "{\"sour";
  const json state = {
      {"format", 1},
      {"what", server() + " hubs    ratio forward 0 0 all exact"},
      {"lines", count},
      {"bytes", first.size()},
      {"resume_token", token}};
  std::ofstream(to + ".state") << state.dump();
  std::vector<std::string> other = again;
  other.insert(other.end(), {"-k", "5"});
  EXPECT_EQ(Run(other).exit_code, 5);
  const CliResult resumed = Run(again);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_THAT(resumed.output, testing::HasSubstr(" of them now"));
  EXPECT_EQ(SortedLines(ReadFile(to)), lines);
}

TEST_F(CliNormalizerTest, TuneReadsPairsAndSaysWhatToDo) {
  ASSERT_EQ(
      RunJson({"bank", "sample", "hubs", "tunebank", "--count", "100"}).size(),
      1U);
  // Each point is its own right answer, so nothing can help.
  const json report =
      RunJson({"normalizer", "tune", "hubs", "--pairs", "demo/packages.npy",
               "--first", "100", "--count", "60", "--bank", "tunebank",
               "--method", "csls", "--points-max", "500"})[0];
  EXPECT_EQ(report["tuning_pairs"], 30);
  EXPECT_EQ(report["held_out_pairs"], 30);
  EXPECT_EQ(report["gallery_points"], 500);
  EXPECT_EQ(report["collection_points"], 4000);
  EXPECT_EQ(report["trials"].size(), 3U);
  EXPECT_TRUE(report["recommended"].is_null());
  EXPECT_TRUE(report["command"].is_null());

  // The lines that scroll prints are pairs, too.
  const CliResult lines =
      Run({"scroll", "hubs", "--limit", "40", "--vectors", "--output", "json"});
  const std::string pairs = WriteFile("pairs.jsonl", lines.output);
  const CliResult table =
      Run({"normalizer", "tune", "hubs", "--pairs", pairs, "--bank", "tunebank",
           "--method", "inverted_softmax"});
  EXPECT_EQ(table.exit_code, 0) << table.error;
  EXPECT_THAT(table.output, testing::HasSubstr("anti-hubs %"));
  EXPECT_THAT(table.output, testing::HasSubstr("(none)"));
  EXPECT_THAT(table.output, testing::HasSubstr("--beta 40"));
  EXPECT_THAT(table.output, testing::HasSubstr("Recommended: "));

  const CliResult few = Run({"normalizer", "tune", "hubs", "--pairs", pairs,
                             "--count", "3", "--bank", "tunebank"});
  EXPECT_EQ(few.exit_code, 1);
  EXPECT_THAT(few.error, testing::HasSubstr("pairs: 20 to 10000, got 3"));
  const CliResult lost = Run({"normalizer", "tune", "hubs", "--pairs",
                              "nowhere.npy", "--bank", "tunebank"});
  EXPECT_EQ(lost.exit_code, 5) << lost.error;
}

// The command that tune prints makes the normaliser.
TEST_F(CliNormalizerTest, TheRecommendedCommandCanBeRun) {
  // Queries are turned towards an axis, near which points become hubs.
  std::string points;
  std::string queries;
  for (int i = 0; i < 400; ++i) {
    const std::string vector = DirectionOf(i, 0);
    points += "{\"id\":" + std::to_string(i) + ",\"vector\":" + vector + "}\n";
    queries += "{\"id\":" + std::to_string(i) +
               ",\"vector\":" + DirectionOf(i, 1) + "}\n";
  }
  ASSERT_EQ(
      Run({"import", "turned", WriteFile("turned.jsonl", points), "--create"})
          .exit_code,
      0);
  std::vector<std::vector<float>> rows;
  for (int i = 400; i < 800; ++i) {
    rows.push_back(Direction(i, 1));
  }
  ASSERT_OK(client_->PutBank("turned", {.name = "b"}, rows));
  const json report = RunJson({"normalizer", "tune", "turned", "--pairs",
                               WriteFile("asked.jsonl", queries), "--bank", "b",
                               "--name", "best"})[0];
  ASSERT_FALSE(report["command"].is_null()) << report.dump();
  std::vector<std::string> words =
      absl::StrSplit(report["command"].get<std::string>(), ' ');
  ASSERT_EQ(words.front(), "sextant");
  words.erase(words.begin());
  const json made = RunJson(words)[0];
  EXPECT_EQ(made[0]["name"], "best");
  EXPECT_EQ(made[0]["method"], report["recommended"]["method"]);
}

}  // namespace
}  // namespace sextant
