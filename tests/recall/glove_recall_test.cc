// SPDX-License-Identifier: Apache-2.0
// 338,479 GloVe vectors through gRPC with default settings: recall@10 against
// the exact answers that come with the data, again after a restart, and after
// deletes and overwrites against brute force. How long a restart takes is
// reported (times are no test). Skipped where the data is not.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
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
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

constexpr uint32_t kLimit = 10;
constexpr double kFloor = 0.95;
// One standard error of the mean over 1,000 queries, whose recalls have a
// standard deviation of about 0.1: the calibration's margin covers the rest.
constexpr double kTargetTolerance = 0.003;
constexpr uint64_t kGraphRowsMin = 2'048;  // the default
constexpr double kTie = 1e-6;
constexpr uint64_t kQueriesAfterChanges = 200;  // brute force is slow
constexpr size_t kIdsPerDelete = 10'000;        // the API's limit
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

class GloveRecallTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string data = DataFolder();
    if (!std::filesystem::exists(data + "base.npy")) {
      GTEST_SKIP() << data
                   << " is not there (SEXTANT_DATA names another place)";
    }
    ASSERT_OK_AND_ASSIGN(base_, ReadMatrix(data + "base.npy"));
    ASSERT_OK_AND_ASSIGN(queries_, ReadMatrix(data + "queries.npy"));
    ASSERT_OK_AND_ASSIGN(given_kth_, KthScores(data + "gt_scores.npy"));
    for (uint64_t row = 0; row < base_.rows; ++row) {
      points_.push_back({.id = row, .row = row});
    }
    Start();
  }

  void Start() {
    ASSERT_OK_AND_ASSIGN(
        server_, ServerProcess::Start({.data_dir = folder_.path() + "/data"}));
    ASSERT_OK_AND_ASSIGN(client_,
                         client::Client::Connect(server_->grpc_address()));
  }

  void WaitForGraphs() {
    const absl::Time start = absl::Now();
    ASSERT_OK_AND_ASSIGN(const client::CollectionInfo info,
                         WaitUntilIndexed(*client_, kCollection, kGraphRowsMin,
                                          absl::Minutes(25)));
    EXPECT_EQ(info.point_count, points_.size());
    std::printf("indexed: %.1f s later, %u segments, %.0f MiB\n",
                Seconds(start), info.index.sealed_segments,
                static_cast<double>(info.index.sealed_bytes) / (1 << 20));
  }

  // Against the answers that came with the data.
  void ExpectGivenRecall(const std::string& when) {
    ASSERT_OK_AND_ASSIGN(const auto answers,
                         SearchAll(*client_, kCollection, queries_, kLimit));
    const double recall = MeanRecall(base_, queries_, given_kth_, answers);
    std::printf("recall@10 %s: %.4f\n", when.c_str(), recall);
    EXPECT_GE(recall, kFloor) << when;
    for (const double target : {0.9, 0.95, 0.99}) {
      ASSERT_OK_AND_ASSIGN(
          const auto aimed,
          SearchAll(*client_, kCollection, queries_, kLimit, target));
      const double reached = MeanRecall(base_, queries_, given_kth_, aimed);
      std::printf("recall@10 %s for a target of %.2f: %.4f\n", when.c_str(),
                  target, reached);
      EXPECT_GE(reached, target - kTargetTolerance) << when;
    }
  }

  // Against brute force over the points as they are now.
  void ExpectRecallNow(const std::string& when,
                       const std::vector<double>& kth) {
    std::unordered_map<uint64_t, uint64_t> row_of;
    for (const ExactPoint& point : points_) {
      row_of[point.id] = point.row;
    }
    ASSERT_OK_AND_ASSIGN(const auto answers,
                         SearchAll(*client_, kCollection, queries_, kLimit));
    uint64_t right = 0;
    for (uint64_t i = 0; i < kth.size(); ++i) {
      ASSERT_EQ(answers[i].size(), kLimit);
      for (const uint64_t id : answers[i]) {
        ASSERT_EQ(row_of.count(id), 1U) << "a deleted point was found";
        right += Cosine(queries_.Row(i), base_.Row(row_of[id])) >= kth[i] - kTie
                     ? 1U
                     : 0U;
      }
    }
    const double recall =
        static_cast<double>(right) / static_cast<double>(kLimit * kth.size());
    std::printf("recall@10 %s: %.4f\n", when.c_str(), recall);
    EXPECT_GE(recall, kFloor) << when;
  }

  std::vector<double> Kth() const {
    return KthCosines(base_, points_, queries_, kQueriesAfterChanges, kLimit);
  }

  // Deletes the first `share` of the points.
  void Delete(size_t share) {
    for (size_t first = 0; first < share; first += kIdsPerDelete) {
      std::vector<client::PointId> ids;
      for (size_t i = first; i < std::min(first + kIdsPerDelete, share); ++i) {
        ids.emplace_back(points_[i].id);
      }
      ASSERT_OK_AND_ASSIGN(const client::DeleteResult result,
                           client_->Delete(kCollection, ids));
      EXPECT_EQ(result.deleted, ids.size());
    }
    points_.erase(points_.begin(),
                  points_.begin() + static_cast<int64_t>(share));
  }

  // Gives the first points the vectors of these.
  void Overwrite(const std::vector<ExactPoint>& with) {
    std::vector<ExactPoint> changed;
    for (size_t i = 0; i < with.size(); ++i) {
      points_[i].row = with[i].row;
      changed.push_back(points_[i]);
    }
    ASSERT_OK(Import(*client_, kCollection, base_, changed));
  }

  TempDir folder_;
  Matrix base_;
  Matrix queries_;
  std::vector<double> given_kth_;
  std::vector<ExactPoint> points_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<client::Client> client_;
};

TEST_F(GloveRecallTest, DefaultSettingsReachTheFloor) {
  ASSERT_OK(CreateCollection(*client_, kCollection, base_.dimension));
  absl::Time start = absl::Now();
  ASSERT_OK(Import(*client_, kCollection, base_, points_));
  std::printf("import: %.1f s\n", Seconds(start));
  ASSERT_NO_FATAL_FAILURE(WaitForGraphs());
  ASSERT_NO_FATAL_FAILURE(ExpectGivenRecall("as imported"));

  ASSERT_OK(server_->Terminate().status());
  start = absl::Now();
  ASSERT_NO_FATAL_FAILURE(Start());
  std::printf("restart to SERVING: %.2f s\n", Seconds(start));
  ASSERT_NO_FATAL_FAILURE(ExpectGivenRecall("after a restart"));

  std::mt19937_64 random(test::TestSeed());
  std::shuffle(points_.begin(), points_.end(), random);
  const size_t share = points_.size() * 3 / 10;
  const std::vector<ExactPoint> removed(
      points_.begin(), points_.begin() + static_cast<int64_t>(share));
  ASSERT_NO_FATAL_FAILURE(Delete(share));
  ASSERT_NO_FATAL_FAILURE(ExpectRecallNow("after deleting 30 %", Kth()));

  ASSERT_NO_FATAL_FAILURE(Overwrite(removed));
  const std::vector<double> kth = Kth();
  ASSERT_NO_FATAL_FAILURE(
      ExpectRecallNow("after overwriting 30 %, at once", kth));
  ASSERT_NO_FATAL_FAILURE(WaitForGraphs());
  ASSERT_NO_FATAL_FAILURE(
      ExpectRecallNow("after overwriting 30 %, indexed", kth));
}

}  // namespace
}  // namespace sextant
