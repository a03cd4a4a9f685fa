// SPDX-License-Identifier: Apache-2.0
// 338,479 GloVe vectors through gRPC with default settings: recall@10 against
// the exact answers that come with the data, and how long a restart takes
// (reported; times are no test). Skipped where the data is not.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "base/status_matchers.h"
#include "clients/cpp/client.h"
#include "clients/formats/npy.h"
#include "tests/recall/exact_search.h"
#include "tests/recall/recall_server.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

constexpr uint32_t kLimit = 10;
constexpr double kFloor = 0.95;
constexpr uint64_t kGraphRowsMin = 2'048;  // the default
constexpr double kTie = 1e-6;
constexpr char kCollection[] = "glove";

std::string DataFolder() {
  const char* given = std::getenv("SEXTANT_DATA");
  return absl::StrCat(given == nullptr ? "../shared/data" : given,
                      "/glove-100d/");
}

// The exact k-th score of each query: column k-1 of the file of scores.
absl::StatusOr<std::vector<double>> KthScores(const std::string& path) {
  ASSIGN_OR_RETURN(const Matrix scores, ReadMatrix(path));
  std::vector<double> kth;
  for (uint64_t row = 0; row < scores.rows; ++row) {
    kth.push_back(scores.Row(row)[kLimit - 1]);
  }
  return kth;
}

// The exact scores are inner products of the rounded float16 rows, whose length
// is 1 only to three digits; so that is what answers are measured by.
double MeanRecall(const Matrix& base, const Matrix& queries,
                  const std::vector<double>& kth,
                  const std::vector<std::vector<uint64_t>>& answers) {
  uint64_t right = 0;
  for (uint64_t row = 0; row < queries.rows; ++row) {
    for (const uint64_t id : answers[row]) {
      if (id < base.rows &&
          Dot(queries.Row(row), base.Row(id)) >= kth[row] - kTie) {
        ++right;
      }
    }
  }
  return static_cast<double>(right) /
         static_cast<double>(kLimit * queries.rows);
}

double Seconds(absl::Time since) {
  return absl::ToDoubleSeconds(absl::Now() - since);
}

TEST(GloveRecallTest, DefaultSettingsReachTheFloor) {
  const std::string data = DataFolder();
  if (!std::filesystem::exists(data + "base.npy")) {
    GTEST_SKIP() << data << " is not there (SEXTANT_DATA names another place)";
  }
  ASSERT_OK_AND_ASSIGN(const Matrix base, ReadMatrix(data + "base.npy"));
  ASSERT_OK_AND_ASSIGN(const Matrix queries, ReadMatrix(data + "queries.npy"));
  ASSERT_OK_AND_ASSIGN(const std::vector<double> kth,
                       KthScores(data + "gt_scores.npy"));
  std::vector<ExactPoint> points;
  for (uint64_t row = 0; row < base.rows; ++row) {
    points.push_back({.id = row, .row = row});
  }

  const TempDir folder;
  const ServerProcessOptions options = {.data_dir = folder.path() + "/data"};
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<ServerProcess> server,
                       ServerProcess::Start(options));
  ASSERT_OK_AND_ASSIGN(auto client,
                       client::Client::Connect(server->grpc_address()));
  ASSERT_OK(CreateCollection(*client, kCollection, base.dimension));
  absl::Time start = absl::Now();
  ASSERT_OK(Import(*client, kCollection, base, points));
  std::printf("import: %.1f s\n", Seconds(start));
  ASSERT_OK_AND_ASSIGN(
      const client::CollectionInfo info,
      WaitUntilIndexed(*client, kCollection, kGraphRowsMin, absl::Minutes(25)));
  std::printf("indexed: %.1f s after the start, %u segments, %.0f MiB\n",
              Seconds(start), info.index.sealed_segments,
              static_cast<double>(info.index.sealed_bytes) / (1 << 20));

  ASSERT_OK_AND_ASSIGN(auto answers,
                       SearchAll(*client, kCollection, queries, kLimit));
  const double recall = MeanRecall(base, queries, kth, answers);
  std::printf("recall@10: %.4f\n", recall);
  EXPECT_GE(recall, kFloor);

  ASSERT_OK(server->Terminate().status());
  start = absl::Now();
  ASSERT_OK_AND_ASSIGN(server, ServerProcess::Start(options));
  std::printf("restart to SERVING: %.2f s\n", Seconds(start));
  ASSERT_OK_AND_ASSIGN(client, client::Client::Connect(server->grpc_address()));
  ASSERT_OK_AND_ASSIGN(answers,
                       SearchAll(*client, kCollection, queries, kLimit));
  EXPECT_GE(MeanRecall(base, queries, kth, answers), kFloor);
}

}  // namespace
}  // namespace sextant
