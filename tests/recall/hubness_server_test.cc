// SPDX-License-Identifier: Apache-2.0
// What tuning is worth on real vectors, through gRPC: sentences and their
// translations, captions of pictures. Skipped where the data is not.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "clients/cpp/client.h"
#include "tests/recall/exact_search.h"
#include "tests/recall/recall_server.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

std::string DataFolder() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no setenv
  const char* given = std::getenv("SEXTANT_DATA");
  return given == nullptr ? "../shared/data" : given;
}

class HubnessServerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(DataFolder())) {
      GTEST_SKIP() << "no data at " << DataFolder();
    }
    ASSERT_OK_AND_ASSIGN(
        server_, ServerProcess::Start({.data_dir = folder_.path() + "/data"}));
    ASSERT_OK_AND_ASSIGN(client_,
                         client::Client::Connect(server_->grpc_address()));
  }

  static Matrix Read(const std::string& name) {
    auto matrix = ReadMatrix(absl::StrCat(DataFolder(), "/", name, ".npy"));
    EXPECT_OK(matrix.status());
    return matrix.ok() ? *std::move(matrix) : Matrix{};
  }
  static Matrix RowsOf(const Matrix& matrix, uint64_t first, uint64_t count) {
    const auto begin = matrix.numbers.begin() +
                       static_cast<std::ptrdiff_t>(first * matrix.dimension);
    return {
        count,
        matrix.dimension,
        {begin, begin + static_cast<std::ptrdiff_t>(count * matrix.dimension)}};
  }
  static std::vector<std::vector<float>> Vectors(const Matrix& matrix) {
    std::vector<std::vector<float>> vectors;
    for (uint64_t row = 0; row < matrix.rows; ++row) {
      vectors.emplace_back(matrix.Row(row).begin(), matrix.Row(row).end());
    }
    return vectors;
  }

  // Point i is row i.
  void Fill(const std::string& collection, const Matrix& matrix) {
    ASSERT_OK(CreateCollection(*client_, collection, matrix.dimension));
    std::vector<ExactPoint> points;
    for (uint64_t row = 0; row < matrix.rows; ++row) {
      points.push_back({.id = row, .row = row});
    }
    ASSERT_OK(Import(*client_, collection, matrix, points));
  }
  void PutBank(const std::string& collection, const Matrix& bank) {
    ASSERT_OK(client_->PutBank(collection, {.name = "asked"}, Vectors(bank)));
  }
  // English sentences, with a bank of German ones; row i of the queries, others
  // in German, is answered by point i.
  void FillTranslations(Matrix* queries) {
    const Matrix german = Read("bitext-stsb/en-de.de");
    *queries = RowsOf(german, 0, 1000);
    ASSERT_NO_FATAL_FAILURE(Fill("english", Read("bitext-stsb/en-de.en")));
    ASSERT_NO_FATAL_FAILURE(PutBank("english", RowsOf(german, 1000, 1200)));
  }
  // Row i of the queries is answered by point i.
  absl::StatusOr<client::TuneReport> Tune(
      const std::string& collection, const Matrix& queries,
      const std::vector<std::string>& methods = {}) {
    client::TuneRequest request;
    request.methods = methods;
    request.query_bank = "asked";
    for (uint64_t row = 0; row < queries.rows; ++row) {
      client::LabelledPair& pair = request.pairs.emplace_back();
      pair.query.assign(queries.Row(row).begin(), queries.Row(row).end());
      pair.id = row;
    }
    return client_->TuneNormalizer(collection, request, {},
                                   {.timeout = absl::Minutes(5)});
  }
  // Under the collection's default normaliser.
  double RecallAt1(const std::string& collection, const Matrix& queries) {
    const auto answers = SearchAll(*client_, collection, queries, 1);
    EXPECT_OK(answers.status());
    uint64_t right = 0;
    for (uint64_t row = 0; answers.ok() && row < queries.rows; ++row) {
      right += (*answers)[row] == std::vector<uint64_t>{row} ? 1U : 0U;
    }
    return static_cast<double>(right) / static_cast<double>(queries.rows);
  }
  void MakeDefault(const std::string& collection,
                   client::Normalizer normalizer) {
    normalizer.name = "tuned";
    normalizer.is_default = true;
    ASSERT_OK(client_->PutNormalizer(collection, normalizer));
  }

  const TempDir folder_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<client::Client> client_;
};

struct Wanted {
  std::vector<std::string> methods;  // empty: all
  double recall = 0;
};

// By whatever method is best, and by inverted softmax alone: half of the pairs
// choose a beta of 10 for that, which all of them would not.
TEST_F(HubnessServerTest, TuningFindsMoreTranslations) {
  Matrix queries;
  ASSERT_NO_FATAL_FAILURE(FillTranslations(&queries));
  const double raw = RecallAt1("english", queries);
  EXPECT_NEAR(raw, 0.590, 0.003);
  for (const Wanted& wanted :
       {Wanted{{}, 0.65}, Wanted{{"inverted_softmax"}, 0.615}}) {
    ASSERT_OK_AND_ASSIGN(const client::TuneReport report,
                         Tune("english", queries, wanted.methods));
    ASSERT_TRUE(report.recommended.has_value()) << report.reason;
    EXPECT_NEAR(report.raw_hubness.skewness, 2.3, 0.4);
    ASSERT_NO_FATAL_FAILURE(MakeDefault("english", *report.recommended));
    const double tuned = RecallAt1("english", queries);
    std::cout << "recall@1 of German sentences " << raw << ", tuned " << tuned
              << ": " << report.reason << "\n";
    EXPECT_GE(tuned, wanted.recall);
  }
}

// Methods that rescore the best hundred. Without a bank, neighbourhoods say how
// English sentences lie among each other, which is no help for German ones.
TEST_F(HubnessServerTest, RescoringFindsMoreTranslations) {
  Matrix queries;
  ASSERT_NO_FATAL_FAILURE(FillTranslations(&queries));
  const double raw = RecallAt1("english", queries);
  struct Floor {
    std::string method;
    bool has_bank;
    double least;
    double most = 1;
  };
  for (const Floor& floor :
       {Floor{"margin_ratio", true, 0.63},
        Floor{"globally_corrected", true, 0.595},
        Floor{"mutual_proximity", true, 0.59},
        Floor{"local_scaling", true, 0.6}, Floor{"nicdm", true, 0.615},
        Floor{"nicdm", false, 0.48, 0.55}}) {
    client::Normalizer normalizer;
    normalizer.method = floor.method;
    normalizer.query_bank = floor.has_bank ? "asked" : "";
    ASSERT_NO_FATAL_FAILURE(MakeDefault("english", normalizer));
    const double rescored = RecallAt1("english", queries);
    std::cout << "recall@1 of German sentences " << raw << ", by "
              << floor.method << (floor.has_bank ? " " : " without a bank ")
              << rescored << "\n";
    EXPECT_GE(rescored, floor.least) << floor.method;
    EXPECT_LE(rescored, floor.most) << floor.method;
  }
}

TEST_F(HubnessServerTest, TuningLeavesCaptionsAlone) {
  const Matrix queries = Read("flickr8k-captions/queries");
  const Matrix bank = Read("flickr8k-captions/querybank");
  ASSERT_NO_FATAL_FAILURE(Fill("dev", Read("flickr8k-captions/dev_gallery")));
  ASSERT_NO_FATAL_FAILURE(PutBank("dev", bank));
  ASSERT_OK_AND_ASSIGN(const client::TuneReport report,
                       Tune("dev", Read("flickr8k-captions/dev_queries")));
  std::cout << "captions: " << report.reason << "\n";
  ASSERT_NO_FATAL_FAILURE(Fill("all", Read("flickr8k-captions/gallery")));
  const double raw = RecallAt1("all", queries);
  double tuned = raw;
  if (report.recommended.has_value()) {
    ASSERT_NO_FATAL_FAILURE(PutBank("all", bank));
    ASSERT_NO_FATAL_FAILURE(MakeDefault("all", *report.recommended));
    tuned = RecallAt1("all", queries);
  }
  std::cout << "recall@1 of captions " << raw << ", tuned " << tuned << "\n";
  EXPECT_GE(tuned, raw - 0.003);
}

// The share of German sentences that are paired with their translation.
TEST_F(HubnessServerTest, MarginsMineBetterPairs) {
  const Matrix german = Read("bitext-stsb/en-de.de");
  ASSERT_NO_FATAL_FAILURE(Fill("german", german));
  ASSERT_NO_FATAL_FAILURE(Fill("english", Read("bitext-stsb/en-de.en")));
  const auto precision = [&](client::MarginKind margin) {
    client::MineRequest request;
    request.margin = margin;
    request.mode = client::MiningMode::kForward;
    size_t pairs = 0;
    size_t right = 0;
    EXPECT_OK(
        client_->MinePairs("german", "english", request,
                           [&](const client::MiningStep& step) {
                             pairs += step.pairs.size();
                             for (const client::MinedPair& pair : step.pairs) {
                               right += pair.source == pair.target ? 1U : 0U;
                             }
                             return absl::OkStatus();
                           },
                           {.timeout = absl::Minutes(5)}));
    EXPECT_EQ(pairs, german.rows);
    return static_cast<double>(right) / static_cast<double>(german.rows);
  };
  const double by_cosine = precision(client::MarginKind::kAbsolute);
  const double by_distance = precision(client::MarginKind::kDistance);
  const double by_ratio = precision(client::MarginKind::kRatio);
  std::cout << "mined precision by cosine " << by_cosine << ", distance "
            << by_distance << ", ratio " << by_ratio << "\n";
  EXPECT_NEAR(by_cosine, 0.609, 0.003);
  EXPECT_GE(by_ratio, by_cosine + 0.08);
}

}  // namespace
}  // namespace sextant
