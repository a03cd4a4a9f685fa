// SPDX-License-Identifier: Apache-2.0
#include "engine/compaction_plan.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "engine/engine_fixture.h"

namespace sextant {
namespace {

struct PlanCase {
  const char* name;
  std::vector<SegmentSize> frozen;
  std::vector<SegmentSize> sealed;
  size_t planned_frozen;
  std::vector<size_t> planned_sealed;
  WriteLoad load = WriteLoad::kBusy;
};

class PlanCompactionTest : public ::testing::TestWithParam<PlanCase> {};

TEST_P(PlanCompactionTest, Chooses) {
  const PlanCase& test = GetParam();
  const CompactionPlan plan =
      PlanCompaction(test.frozen, test.sealed, test.load);
  EXPECT_EQ(plan.frozen, test.planned_frozen);
  EXPECT_EQ(plan.sealed, test.planned_sealed);
}

// What lacks columns waits for merges, which fill it in; then the smallest is
// first.
TEST(CompactionPlanTest, SegmentsThatLackColumnsAreFilledWhenNothingElseIsDue) {
  const std::vector<SegmentSize> sealed = {
      {500, 0, true}, {90'000, 0, true}, {200, 9, true}, {100, 0, false}};
  CompactionPlan plan = PlanCompaction({{10, 0}}, sealed, WriteLoad::kBusy);
  EXPECT_EQ(plan.frozen, 1U);
  EXPECT_FALSE(plan.fill);
  plan = PlanCompaction({}, sealed, WriteLoad::kBusy);
  EXPECT_TRUE(plan.fill);
  EXPECT_EQ(plan.sealed, std::vector<size_t>{2});
  plan = PlanCompaction({}, {{500, 0, false}, {9, 0, false}}, WriteLoad::kBusy);
  EXPECT_TRUE(plan.empty());
  EXPECT_FALSE(plan.fill);
}

INSTANTIATE_TEST_SUITE_P(
    All, PlanCompactionTest,
    ::testing::Values(
        PlanCase{"Nothing", {}, {}, 0, {}},
        PlanCase{"OnlySealed", {}, {{100, 0}, {100, 0}}, 0, {}},
        PlanCase{"FirstSeal", {{100, 0}}, {}, 1, {}},
        PlanCase{"AllFrozen", {{100, 0}, {5, 0}, {7, 3}}, {}, 3, {}},
        PlanCase{"SmallSealedJoins", {{100, 0}}, {{800, 0}}, 1, {0}},
        PlanCase{"LargeSealedStays", {{100, 0}}, {{801, 0}}, 1, {}},
        // 100 takes 800, then 900 takes 7200.
        PlanCase{"Cascade", {{100, 0}}, {{7200, 0}, {800, 0}}, 1, {0, 1}},
        PlanCase{"CascadeStops", {{100, 0}}, {{7201, 0}, {800, 0}}, 1, {1}},
        PlanCase{"AllDeadFrozen", {{0, 50}}, {{10, 0}}, 1, {}},
        PlanCase{"EmptySealedGoes", {}, {{0, 3}, {9, 0}}, 0, {0}},
        PlanCase{"FewDeadStay", {}, {{2000, 500}}, 0, {}},
        PlanCase{"SmallShareDeadStays", {}, {{8000, 2000}}, 0, {}},
        PlanCase{"ManyDeadAreRewritten", {}, {{4000, 1024}}, 0, {0}},
        // 2M rows at once are enough.
        PlanCase{"HugeBacklogInParts",
                 {{1'500'000, 0}, {500'000, 0}, {1, 0}},
                 {},
                 2,
                 {}},
        PlanCase{"OneHugeFrozen", {{3'000'000, 0}, {1, 0}}, {}, 1, {}},
        PlanCase{"IdleAlone", {}, {{100, 0}}, 0, {}, WriteLoad::kIdle},
        PlanCase{
            "IdleRest", {}, {{6400, 0}, {100, 0}}, 0, {0, 1}, WriteLoad::kIdle},
        PlanCase{"IdleTrickleStays",
                 {},
                 {{6401, 0}, {100, 0}},
                 0,
                 {},
                 WriteLoad::kIdle},
        PlanCase{"IdleFrozenRest",
                 {{60, 0}},
                 {{6400, 0}, {40, 0}},
                 1,
                 {0, 1},
                 WriteLoad::kIdle},
        // The second makes it worth it, so the last comes along.
        PlanCase{"IdleSmallestComesAlong",
                 {},
                 {{100'000, 0}, {10, 0}, {5'000, 0}},
                 0,
                 {0, 1, 2},
                 WriteLoad::kIdle},
        PlanCase{"IdleUpToTheLarge",
                 {},
                 {{1'000'000, 0}, {10'000, 0}, {2'048, 0}},
                 0,
                 {1, 2},
                 WriteLoad::kIdle}),
    [](const auto& param) { return std::string(param.param.name); });

// Carries a plan out.
void Merge(const CompactionPlan& plan, std::vector<SegmentSize>* frozen,
           std::vector<SegmentSize>* sealed) {
  SegmentSize merged;
  for (size_t i = 0; i < plan.frozen; ++i) {
    merged.live += (*frozen)[i].live;
  }
  frozen->erase(frozen->begin(),
                frozen->begin() + static_cast<std::ptrdiff_t>(plan.frozen));
  for (size_t i = plan.sealed.size(); i-- > 0;) {
    merged.live += (*sealed)[plan.sealed[i]].live;
    sealed->erase(sealed->begin() +
                  static_cast<std::ptrdiff_t>(plan.sealed[i]));
  }
  if (merged.live > 0) {
    sealed->push_back(merged);
  }
}

uint64_t Rows(const std::vector<SegmentSize>& segments) {
  uint64_t rows = 0;
  for (const SegmentSize& segment : segments) {
    rows += segment.live + segment.dead;
  }
  return rows;
}

// log_8(rows), and some for the start.
size_t SegmentsMax(uint64_t rows) {
  return 2 + static_cast<size_t>(std::log2(static_cast<double>(rows + 1)) / 3);
}

TEST(CompactionPlanTest, SegmentsStayLogarithmicOverTenThousandSeals) {
  std::mt19937_64 random(test::TestSeed());
  std::vector<SegmentSize> sealed;
  uint64_t written = 0;
  uint64_t copied = 0;
  size_t most = 0;
  for (int seal = 0; seal < 10'000; ++seal) {
    std::vector<SegmentSize> frozen = {{1 + random() % 8192, 0}};
    written += frozen[0].live;
    const CompactionPlan plan =
        PlanCompaction(frozen, sealed, WriteLoad::kBusy);
    ASSERT_EQ(plan.frozen, 1U);
    for (const size_t i : plan.sealed) {
      copied += sealed[i].live;
    }
    Merge(plan, &frozen, &sealed);
    most = std::max(most, sealed.size());
    ASSERT_LE(sealed.size(), SegmentsMax(written)) << "after seal " << seal;
    ASSERT_TRUE(PlanCompaction({}, sealed, WriteLoad::kBusy).empty());
  }
  ASSERT_EQ(Rows(sealed), written);
  std::cout << written << " rows, at most " << most << " segments, each row "
            << "copied "
            << static_cast<double>(copied) / static_cast<double>(written)
            << " times\n";
  // A graph that is cloned costs a copy, not a build; still it must not be
  // copied without end.
  EXPECT_LT(copied, 64 * written);
}

// Writes that trickle in, each sealed and merged because nothing follows it.
TEST(CompactionPlanTest, ATrickleOfIdleSealsCopiesInProportion) {
  constexpr uint64_t kSealed = 2048;
  std::vector<SegmentSize> sealed;
  uint64_t written = 0;
  uint64_t copied = 0;
  for (int seal = 0; seal < 5'000; ++seal) {
    std::vector<SegmentSize> frozen = {{kSealed, 0}};
    written += kSealed;
    const CompactionPlan plan =
        PlanCompaction(frozen, sealed, WriteLoad::kIdle);
    for (const size_t i : plan.sealed) {
      copied += sealed[i].live;
    }
    Merge(plan, &frozen, &sealed);
    ASSERT_TRUE(PlanCompaction({}, sealed, WriteLoad::kIdle).empty());
    ASSERT_LE(sealed.size(), 3U) << "after seal " << seal;
    if (written <= kIdleMergeGrowth * kSealed) {
      ASSERT_EQ(sealed.size(), 1U) << "after seal " << seal;
    }
  }
  ASSERT_EQ(Rows(sealed), written);
  EXPECT_LT(copied, 2 * kIdleMergeGrowth * written);
}

// Random seals, deletes and backlogs: plans are well formed, they end, and
// what stays is bounded.
TEST(CompactionPlanTest, RandomWorkKeepsTheInvariants) {
  std::mt19937_64 random(test::TestSeed());
  std::vector<SegmentSize> frozen;
  std::vector<SegmentSize> sealed;
  uint64_t rows_max = 0;
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t backlog = random() % 4;
    for (uint64_t i = 0; i < backlog; ++i) {
      frozen.push_back({random() % 9000, random() % 100});
    }
    for (SegmentSize& segment : sealed) {
      if (random() % 8 == 0 && segment.live > 0) {
        const uint64_t died = random() % (segment.live + 1);
        segment.live -= died;
        segment.dead += died;
      }
    }
    rows_max = std::max(rows_max, Rows(frozen) + Rows(sealed));
    int merges = 0;
    const WriteLoad load =
        random() % 4 == 0 ? WriteLoad::kIdle : WriteLoad::kBusy;
    for (CompactionPlan plan = PlanCompaction(frozen, sealed, load);
         !plan.empty(); plan = PlanCompaction(frozen, sealed, load)) {
      ASSERT_LE(plan.frozen, frozen.size());
      ASSERT_TRUE(std::is_sorted(plan.sealed.begin(), plan.sealed.end()));
      ASSERT_TRUE(std::adjacent_find(plan.sealed.begin(), plan.sealed.end()) ==
                  plan.sealed.end());
      ASSERT_TRUE(plan.sealed.empty() || plan.sealed.back() < sealed.size());
      ASSERT_TRUE(frozen.empty() || plan.frozen > 0) << "frozen come first";
      Merge(plan, &frozen, &sealed);
      ASSERT_LT(++merges, 100) << "merging does not end";
    }
    ASSERT_TRUE(frozen.empty());
    // Deletes may leave several segments of one size until the next merge.
    ASSERT_LE(sealed.size(), 2 * SegmentsMax(rows_max)) << "step " << step;
  }
}

}  // namespace
}  // namespace sextant
