// SPDX-License-Identifier: Apache-2.0
// Recall of the demo collection through gRPC against brute force, as imported
// and after deletes and overwrites: with default settings, and with settings
// that put every few hundred points into a graph of their own.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "base/status_matchers.h"
#include "clients/cpp/client.h"
#include "tests/recall/exact_search.h"
#include "tests/recall/recall_server.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

constexpr uint32_t kLimit = 10;
constexpr double kFloor = 0.99;
// Two standard errors of the mean over the example queries at 0.99, where the
// recall of one query has a standard deviation of about 0.03.
constexpr double kTargetTolerance = 0.004;
constexpr char kCollection[] = "packages";

struct Settings {
  const char* name;
  std::vector<std::string> arguments;
  uint64_t graph_rows_min;
};

class DemoRecallTest : public testing::TestWithParam<Settings> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(base_, ReadMatrix("demo/packages.npy"));
    ASSERT_OK_AND_ASSIGN(queries_, ReadMatrix("demo/queries.npy"));
    for (uint64_t row = 0; row < base_.rows; ++row) {
      points_.push_back({.id = row, .row = row});
    }
    Start();
    ASSERT_OK(CreateCollection(*client_, kCollection, base_.dimension));
    ASSERT_OK(Import(*client_, kCollection, base_, points_));
  }

  void Start() {
    ASSERT_OK_AND_ASSIGN(
        server_, ServerProcess::Start({.data_dir = folder_.path() + "/data",
                                       .arguments = GetParam().arguments}));
    ASSERT_OK_AND_ASSIGN(client_,
                         client::Client::Connect(server_->grpc_address()));
  }

  // Mean recall@10 over all example queries, now.
  absl::StatusOr<double> Recall(double target = 0) {
    ASSIGN_OR_RETURN(const auto answers, SearchAll(*client_, kCollection,
                                                   queries_, kLimit, target));
    double sum = 0;
    for (uint64_t row = 0; row < queries_.rows; ++row) {
      sum += TieAwareRecall(base_, points_, queries_.Row(row), answers[row],
                            kLimit);
    }
    return sum / static_cast<double>(queries_.rows);
  }

  // At once, while new points are still scanned, and when all are in a graph.
  void ExpectRecall(const std::string& when) {
    ASSERT_OK_AND_ASSIGN(const double at_once, Recall());
    EXPECT_GE(at_once, kFloor) << when << ", at once";
    ASSERT_OK_AND_ASSIGN(
        const client::CollectionInfo info,
        WaitUntilIndexed(*client_, kCollection, GetParam().graph_rows_min,
                         absl::Seconds(120)));
    EXPECT_EQ(info.point_count, points_.size());
    ASSERT_OK_AND_ASSIGN(const double indexed, Recall());
    EXPECT_GE(indexed, kFloor) << when << ", indexed";
    for (const double target : {0.9, 0.95, 0.99, 1.0}) {
      ASSERT_OK_AND_ASSIGN(const double reached, Recall(target));
      EXPECT_GE(reached, target - kTargetTolerance) << when;
    }
    std::printf("recall@10 %s: %.4f at once, %.4f indexed (%u segments)\n",
                when.c_str(), at_once, indexed, info.index.sealed_segments);
  }

  TempDir folder_;
  Matrix base_;
  Matrix queries_;
  std::vector<ExactPoint> points_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<client::Client> client_;
};

TEST_P(DemoRecallTest, StaysAfterDeletesAndOverwrites) {
  ExpectRecall("as imported");

  const uint64_t seed = test::TestSeed();
  std::mt19937_64 random(seed);
  std::shuffle(points_.begin(), points_.end(), random);

  // Delete 30 %.
  const size_t share = points_.size() * 3 / 10;
  std::vector<client::PointId> gone;
  for (size_t i = 0; i < share; ++i) {
    gone.emplace_back(points_[i].id);
  }
  ASSERT_OK_AND_ASSIGN(const client::DeleteResult deleted,
                       client_->Delete(kCollection, gone));
  EXPECT_EQ(deleted.deleted, share);
  const std::vector<ExactPoint> removed(
      points_.begin(), points_.begin() + static_cast<int64_t>(share));
  points_.erase(points_.begin(), points_.begin() + static_cast<int64_t>(share));
  ExpectRecall("after deleting 30 %");

  // Overwrite 30 % with vectors that were there before, and with those of
  // points that are gone, so that ids and vectors no longer agree.
  std::vector<ExactPoint> changed;
  for (size_t i = 0; i < share; ++i) {
    points_[i].row = removed[i].row;
    changed.push_back(points_[i]);
  }
  ASSERT_OK(Import(*client_, kCollection, base_, changed));
  ExpectRecall("after overwriting 30 %");

  // A restart serves the same.
  ASSERT_OK(server_->Terminate().status());
  Start();
  ExpectRecall("after a restart");
}

// Scores of codes alone, with the floats on the disk.
TEST_P(DemoRecallTest, WithoutFloatsCodesOrderTheHits) {
  // Lower than what was measured by about a point.
  constexpr double kFloors[] = {0.975, 0.955};
  constexpr client::Encoding kEncodings[] = {client::Encoding::kInt8,
                                             client::Encoding::kInt4};
  for (size_t i = 0; i < std::size(kEncodings); ++i) {
    ASSERT_OK(client_->DeleteCollection(kCollection));
    ASSERT_OK(CreateCollection(*client_, kCollection, base_.dimension,
                               kEncodings[i], client::Rerank::kNone));
    ASSERT_OK(Import(*client_, kCollection, base_, points_));
    ASSERT_OK_AND_ASSIGN(
        client::CollectionInfo info,
        WaitUntilIndexed(*client_, kCollection, GetParam().graph_rows_min,
                         absl::Seconds(120)));
    for (const bool restart : {false, true}) {
      if (restart) {
        ASSERT_OK(server_->Terminate().status());
        Start();
        ASSERT_OK_AND_ASSIGN(info, client_->GetCollection(kCollection));
      }
      EXPECT_EQ(info.schema.vector_fields[0].rerank, client::Rerank::kNone);
      EXPECT_GT(info.index.memory.disk_vectors, 0U);
      EXPECT_EQ(info.index.memory.vectors, 0U);
      ASSERT_OK_AND_ASSIGN(const double by_codes, Recall());
      ASSERT_OK_AND_ASSIGN(const double exact, Recall(1));
      EXPECT_GE(by_codes, kFloors[i]);
      EXPECT_EQ(exact, 1);
      std::printf("recall@10 by codes alone: %.4f (%u segments)\n", by_codes,
                  info.index.sealed_segments);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DemoRecallTest,
    testing::Values(Settings{"Defaults", {}, 2048},
                    Settings{
                        "SmallSegments",
                        {"--engine.seal_rows", "512", "--engine.min_graph_rows",
                         "64", "--engine.seal_idle_ms", "100"},
                        64}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sextant
