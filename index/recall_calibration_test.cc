// SPDX-License-Identifier: Apache-2.0
#include "index/recall_calibration.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread_pool.h"
#include "index/test_vectors.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 77;
constexpr uint32_t kTestRows = 6000;

class RecallCalibrationTest : public testing::Test {
 protected:
  void Build(const TestVectors& vectors, VectorShape shape) {
    auto bytes = BuildVectorIndex(TestInput(shape, vectors), nullptr,
                                  RequestContext(), nullptr);
    ASSERT_OK(bytes);
    bytes_ = *std::move(bytes);
    ASSERT_OK_AND_ASSIGN(
        index_, VectorIndex::Open(shape, vectors.rows(), bytes_.view()));
  }

  BuiltVectorIndex bytes_;
  std::unique_ptr<VectorIndex> index_;
};

class RecallCalibrationMetricTest : public RecallCalibrationTest,
                                    public testing::WithParamInterface<Metric> {
};

// Of the same clusters; the queries are never stored.
struct RowsAndQueries {
  TestVectors rows;
  TestVectors queries;
};

RowsAndQueries OfTheSameClusters(VectorShape shape) {
  const TestVectors all =
      ClusteredVectors(shape, kTestRows + 400, 50, kTestSeed, 1.5F);
  RowsAndQueries data{{shape.dimension, {}}, {shape.dimension, {}}};
  for (uint32_t row = 0; row < all.rows(); ++row) {
    (row % 16 == 7 ? data.queries : data.rows).Append(all.row(row));
  }
  return data;
}

TEST_P(RecallCalibrationMetricTest,
       ForetellsTheRecallOfQueriesThatAreNotStored) {
  const VectorShape shape{GetParam(), 32};
  const RowsAndQueries data = OfTheSameClusters(shape);
  const TestVectors& rows = data.rows;
  const TestVectors& queries = data.queries;
  Build(rows, shape);
  const RecallCurve* const curve = index_->recall_curve();
  ASSERT_NE(curve, nullptr);
  EXPECT_GE(curve->sample(), 100U);
  for (const double target : {0.8, 0.9, 0.95, 0.99}) {
    const std::optional<SearchEffort> effort = curve->EffortFor(target, 10);
    ASSERT_TRUE(effort.has_value()) << target;
    EXPECT_GE(SearchRecall(*index_, queries, *effort, RowSet()), target - 0.005)
        << "slack " << effort->slack << ", seed " << kTestSeed;
    // Not by doing far too much.
    EXPECT_LE(curve->DistancesOf(*effort, 10), kTestRows / 3.0) << target;
  }
  // Widths, too, are worth what they are said to be.
  EXPECT_NEAR(SearchRecall(*index_, queries, {.ef = 32}, RowSet()),
              curve->RecallOf({.ef = 32}, 10), 0.1);
}

// Codes of 4 bits order near rows wrongly, however many are looked at. Hits
// count by what their floats say.
TEST_P(RecallCalibrationMetricTest, KnowsWhatCodesAloneCannotReach) {
  const VectorShape shape{GetParam(), 32};
  const RowsAndQueries data = OfTheSameClusters(shape);
  const TestVectors& rows = data.rows;
  const TestVectors& queries = data.queries;
  VectorIndexInput input = TestInput(shape, rows);
  input.encoding = Encoding::kInt4;
  input.scoring = Scoring::kCodes;
  ASSERT_OK_AND_ASSIGN(
      const BuiltVectorIndex built,
      BuildVectorIndex(input, nullptr, RequestContext(), nullptr));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorIndex> index,
                       VectorIndex::Open(shape, rows.rows(), built.view(),
                                         Placement::kInPlace, Scoring::kCodes));
  const RecallCurve* const curve = index->recall_curve();
  ASSERT_NE(curve, nullptr);
  EXPECT_FALSE(curve->EffortFor(0.999, 10).has_value());
  for (const uint32_t ef : {64U, 512U}) {
    const double recall = TieAwareRecall(
        *index, queries, 10, RowSet(),
        [&](std::span<const float> query, TopK& top) {
          TopK by_codes(10);
          SearchWork work;
          EXPECT_OK(index->Search(query, {.ef = ef}, RowSet(), RequestContext(),
                                  by_codes, work));
          for (const ScoredRow& hit : by_codes.TakeSorted()) {
            top.Offer(TestScore(shape.metric, query, rows.row(hit.row)),
                      hit.row);
          }
        });
    EXPECT_LT(recall, 0.999) << "ef " << ef;
    // Expected is less than seen, by the uncertainty of the sample.
    const double expected = curve->RecallOf({.ef = ef}, 10);
    EXPECT_GE(recall, expected - 0.01) << "ef " << ef << ", seed " << kTestSeed;
    EXPECT_LE(recall, expected + 0.1) << "ef " << ef << ", seed " << kTestSeed;
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, RecallCalibrationMetricTest,
                         testing::Values(Metric::kCosine, Metric::kInnerProduct,
                                         Metric::kL2));

TEST_F(RecallCalibrationTest, IsTheSameEveryTimeAndOnAnyNumberOfThreads) {
  const VectorShape shape{Metric::kL2, 16};
  Build(ClusteredVectors(shape, kTestRows, 30, kTestSeed), shape);
  ThreadPool pool({.name = "calibrate", .threads = 3});
  const RequestContext context;
  ASSERT_OK_AND_ASSIGN(
      const std::optional<RecallCurve> alone,
      RecallCalibration::Run(*index_, {nullptr, context, nullptr}));
  ASSERT_OK_AND_ASSIGN(
      const std::optional<RecallCurve> together,
      RecallCalibration::Run(*index_, {&pool, context, nullptr}));
  ASSERT_TRUE(alone.has_value() && together.has_value());
  EXPECT_EQ(alone->Encode(), together->Encode());
  EXPECT_EQ(alone->Encode(), index_->recall_curve()->Encode());
}

// Thousands of copies are one node: it is hidden with all its rows.
TEST_F(RecallCalibrationTest, CopiesOfARowAreNoAnswersToIt) {
  const VectorShape shape{Metric::kL2, 16};
  TestVectors vectors = ClusteredVectors(shape, 2000, 20, kTestSeed);
  const TestVectors originals = vectors;
  for (uint32_t row = 0; row < originals.rows(); ++row) {
    vectors.Append(originals.row(row));
    vectors.Append(originals.row(row));
  }
  Build(vectors, shape);
  const RecallCurve* const curve = index_->recall_curve();
  ASSERT_NE(curve, nullptr);
  EXPECT_GT(curve->points().back().recall[1], 0.97F);
  EXPECT_LT(curve->points().front().recall[1], 1.0F);
}

TEST_F(RecallCalibrationTest, FewRowsAndScansHaveNone) {
  const VectorShape shape{Metric::kCosine, 8};
  Build(ClusteredVectors(shape, 300, 3, kTestSeed), shape);
  EXPECT_TRUE(index_->has_graph());
  EXPECT_EQ(index_->recall_curve(), nullptr);
}

TEST_F(RecallCalibrationTest, IndexesWithoutOneOpenAndDamagedOnesDoNot) {
  const VectorShape shape{Metric::kCosine, 8};
  Build(ClusteredVectors(shape, 1000, 3, kTestSeed), shape);
  VectorIndexBytes bytes = bytes_.view();
  const std::string pristine(bytes.calibration);
  bytes.calibration = {};
  ASSERT_OK_AND_ASSIGN(const auto without,
                       VectorIndex::Open(shape, 1000, bytes));
  EXPECT_EQ(without->recall_curve(), nullptr);
  std::string damaged = pristine;
  damaged[20] = static_cast<char>(damaged[20] + 1);
  bytes.calibration = damaged;
  EXPECT_THAT(
      VectorIndex::Open(shape, 1000, bytes),
      StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("calibration")));
}

TEST_F(RecallCalibrationTest, EndsWithItsContext) {
  const VectorShape shape{Metric::kCosine, 8};
  Build(ClusteredVectors(shape, 1000, 3, kTestSeed), shape);
  RequestContext context;
  context.Cancel();
  EXPECT_THAT(RecallCalibration::Run(*index_, {nullptr, context, nullptr}),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace sextant
