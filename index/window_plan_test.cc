// SPDX-License-Identifier: Apache-2.0
#include "index/window_plan.h"

#include <vector>

#include "gtest/gtest.h"

namespace sextant {
namespace {

constexpr uint32_t kTestRows = 1'000'000;
constexpr size_t kRowBytes = 72;

// 2,000 distances reach 0.97 of the best 10, 3,000 of the best 100.
RecallCurve Curve() {
  std::vector<RecallPoint> points;
  for (const float slack : {0.05F, 0.1F, 0.2F, 0.4F}) {
    RecallPoint point;
    point.effort = {.ef = 1000, .slack = slack};
    const float recall = 1 - 0.006F / slack;
    point.recall = {recall, recall, recall};
    point.error = {0, 0, 0};
    point.distances = {8000 * slack, 10000 * slack, 15000 * slack};
    points.push_back(point);
  }
  return {points, 100'000, 1};
}

class WindowPlanTest : public testing::Test {
 protected:
  WindowFacts Facts(uint32_t window_rows) const {
    return {kTestRows, window_rows, 10, &curve_};
  }
  WindowPlan Plan(const WindowFacts& facts, double target = 0.95) const {
    return planner_.Plan(facts, target);
  }

  const RecallCurve curve_ = Curve();
  WindowPlanner planner_{kRowBytes};
};

TEST_F(WindowPlanTest, NarrowWindowsAreScannedAndWideOnesWalked) {
  EXPECT_EQ(Plan(Facts(1)).method, WindowMethod::kScan);
  EXPECT_EQ(Plan(Facts(1000)).method, WindowMethod::kScan);
  EXPECT_EQ(Plan(Facts(kTestRows / 2)).method, WindowMethod::kGraph);
  EXPECT_EQ(Plan(Facts(kTestRows)).method, WindowMethod::kGraph);
}

TEST_F(WindowPlanTest, WithoutACurveOrForAllThereIsOnlyTheScan) {
  EXPECT_EQ(Plan(Facts(kTestRows), 1).method, WindowMethod::kScan);
  WindowFacts facts = Facts(kTestRows);
  facts.recall_curve = nullptr;
  EXPECT_EQ(Plan(facts).method, WindowMethod::kScan);
  EXPECT_EQ(Plan(facts).graph_ns, 0);
}

TEST_F(WindowPlanTest, AGraphSearchTakesNoMoreThanTheScanBeforeItIsGivenUp) {
  const WindowPlan plan = Plan(Facts(kTestRows / 4));
  ASSERT_EQ(plan.method, WindowMethod::kGraph);
  EXPECT_GT(plan.effort.distances_max, 0U);
  EXPECT_LE(static_cast<double>(plan.effort.distances_max) * plan.graph_ns /
                curve_.DistancesOf(plan.effort, 40),
            plan.scan_ns * 1.001);
}

TEST_F(WindowPlanTest, WhatIsGivenUpIsScannedUntilThatIsForgotten) {
  const WindowFacts facts = Facts(kTestRows / 4);
  int given_up = 0;
  while (Plan(facts).method == WindowMethod::kGraph) {
    const WindowPlan plan = Plan(facts);
    planner_.ObserveGraph(
        facts, plan, plan.effort.distances_max,
        40.0 * static_cast<double>(plan.effort.distances_max));
    ASSERT_LT(++given_up, 100);
  }
  EXPECT_GT(given_up, 0);
  // Other widths are not touched.
  EXPECT_EQ(Plan(Facts(kTestRows)).method, WindowMethod::kGraph);
  int scans = 0;
  while (Plan(facts).method == WindowMethod::kScan) {
    planner_.Forget(facts);
    ASSERT_LT(++scans, 10000);
  }
  EXPECT_GT(scans, 1);
}

TEST_F(WindowPlanTest, LearnsWhatRowsAndDistancesCost) {
  const WindowFacts facts = Facts(kTestRows / 4);
  for (int i = 0; i < 200; ++i) {
    planner_.ObserveScan(100'000, 100'000 * 0.01);
  }
  EXPECT_EQ(Plan(facts).method, WindowMethod::kScan);
  EXPECT_NEAR(Plan(facts).scan_ns, 0.25 * kTestRows * 0.01, 100);
  // Few rows say little.
  for (int i = 0; i < 200; ++i) {
    planner_.ObserveScan(100, 1e9);
  }
  EXPECT_NEAR(Plan(facts).scan_ns, 0.25 * kTestRows * 0.01, 100);
}

}  // namespace
}  // namespace sextant
