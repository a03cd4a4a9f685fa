// SPDX-License-Identifier: Apache-2.0
#include "ranking/fusion.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

constexpr double kNone = ScoreList::kUnknown;
constexpr uint64_t kTestSeed = 31;

// Every known score is listed.
ScoreList Listed(const std::vector<double>& scores) {
  ScoreList list(scores.size());
  list.scores = scores;
  for (size_t i = 0; i < scores.size(); ++i) {
    list.listed[i] = !std::isnan(scores[i]);
  }
  return list;
}

Fusion Linear(const std::vector<double>& weights, FusionNormaliser normaliser) {
  Fusion fusion{.method = FusionMethod::kLinear};
  for (const double weight : weights) {
    fusion.inputs.push_back({.weight = weight, .normaliser = normaliser});
  }
  return fusion;
}

Fusion Ranks(const std::vector<double>& weights) {
  Fusion fusion;
  for (const double weight : weights) {
    fusion.inputs.push_back({.weight = weight});
  }
  return fusion;
}

MATCHER_P(IsNear, tolerance, "") {
  const auto& [actual, expected] = arg;
  return std::abs(actual - expected) <= tolerance;
}

struct FusionCase {
  const char* name;
  Fusion fusion;
  std::vector<std::vector<double>> lists;  // by list and candidate
  std::vector<double> fused;               // by candidate
};

void PrintTo(const FusionCase& c, std::ostream* out) {
  *out << c.name;
}

class FusionOracleTest : public testing::TestWithParam<FusionCase> {};

TEST_P(FusionOracleTest, GivesThePublishedNumbers) {
  const FusionCase& c = GetParam();
  std::vector<ScoreList> lists;
  for (const auto& scores : c.lists) {
    lists.push_back(Listed(scores));
  }
  ASSERT_OK(ValidateFusion(c.fusion));
  EXPECT_THAT(Fuse(c.fusion, lists).fused.scores,
              Pointwise(IsNear(1e-6), c.fused));
}

constexpr FusionNormaliser kMinMax = FusionNormaliser::kMinMax;
constexpr FusionNormaliser kDbsf = FusionNormaliser::kDbsf;
constexpr FusionNormaliser kZScore = FusionNormaliser::kZScore;
constexpr FusionNormaliser kMinimum = FusionNormaliser::kTheoreticalMinimum;

// Weaviate's tests of relative score fusion; candidates are its ids.
INSTANTIATE_TEST_SUITE_P(RelativeScore, FusionOracleTest,
                         testing::Values(FusionCase{"halves",
                                                    Linear({.5, .5}, kMinMax),
                                                    {{1, 2, 3}, {0, 1, 2}},
                                                    {0, .5, 1}},
                                         FusionCase{"mixed",
                                                    Linear({.5, .5}, kMinMax),
                                                    {{0, 2, .1}, {0, .2, 2}},
                                                    {0, .55, .525}},
                                         FusionCase{
                                             "equal scores at the top",
                                             Linear({.75, .25}, kMinMax),
                                             {{.5, .5, 0}, {0, .01, .001}},
                                             {.75, 1, .025}},
                                         FusionCase{"one list is empty",
                                                    Linear({.75, .25}, kMinMax),
                                                    {{1}, {kNone}},
                                                    {.75}},
                                         FusionCase{"equal scores are 1",
                                                    Linear({1}, kMinMax),
                                                    {{4, 4, kNone}},
                                                    {1, 1, 0}}));

INSTANTIATE_TEST_SUITE_P(
    Ranks, FusionOracleTest,
    testing::Values(
        // Weaviate: weight / (60 + i + 1), i from 0.
        FusionCase{"weights",
                   Ranks({.4, .6}),
                   {{9, 8, 7}, {1, 2, kNone}},
                   {.4 / 61 + .6 / 62, .4 / 62 + .6 / 61, .4 / 63}},
        FusionCase{"equal scores by number",
                   Ranks({1}),
                   {{5, 7, 5, 7}},
                   {1. / 63, 1. / 61, 1. / 64, 1. / 62}},
        FusionCase{"three lists",
                   Ranks({1, 1, 2}),
                   {{1, kNone}, {kNone, 1}, {1, 2}},
                   {1. / 61 + 2. / 62, 1. / 61 + 2. / 61}},
        // Qdrant's own constant: 1 / (2 + i), i from 0.
        FusionCase{"another constant",
                   Fusion{.rank_constant = 1, .inputs = {{}}},
                   {{3, 2, 1}},
                   {1. / 2, 1. / 3, 1. / 4}}));

// (s - (m - 3d)) / 6d with d by n - 1, added up, not clamped.
INSTANTIATE_TEST_SUITE_P(
    Distribution, FusionOracleTest,
    testing::Values(
        FusionCase{
            "1 2 3", Linear({1}, kDbsf), {{1, 2, 3}}, {1. / 3, .5, 2. / 3}},
        FusionCase{"one score", Linear({1}, kDbsf), {{7, kNone}}, {.5, 0}},
        FusionCase{
            "equal scores", Linear({1}, kDbsf), {{.1, .1, .1}}, {.5, .5, .5}},
        FusionCase{"two lists",
                   Linear({1, 1}, kDbsf),
                   {{1, 2, 3}, {kNone, 10, 10}},
                   {1. / 3, 1, 2. / 3 + .5}},
        // Eleven zeros and a twelfth that lies 3.175 deviations off.
        FusionCase{
            "not clamped",
            Linear({1}, kDbsf),
            {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12}},
            {.4518874, .4518874, .4518874, .4518874, .4518874, .4518874,
             .4518874, .4518874, .4518874, .4518874, .4518874, 1.0292386}},
        FusionCase{"z-score", Linear({1}, kZScore), {{1, 2, 3}}, {-1, 0, 1}},
        FusionCase{
            "z-score of one", Linear({1}, kZScore), {{7, kNone}}, {0, -3}}));

// alpha * (s - t) / (max - t) + ..., t = -1 for cosines and 0 for BM25.
INSTANTIATE_TEST_SUITE_P(
    ConvexCombination, FusionOracleTest,
    testing::Values(
        FusionCase{"cosine and BM25",
                   Fusion{.method = FusionMethod::kLinear,
                          .inputs = {{.weight = .8,
                                      .normaliser = kMinimum,
                                      .theoretical_minimum = -1},
                                     {.weight = .2, .normaliser = kMinimum}}},
                   {{.6, .2, kNone}, {kNone, 10, 5}},
                   {.8, .8 * 1.2 / 1.6 + .2, .1}},
        FusionCase{
            "the best is the minimum", Linear({1}, kMinimum), {{0, 0}}, {0, 0}},
        // bm25_boost .3, host_boost .1 on raw scores (arXiv 2412.03736).
        FusionCase{"raw scores",
                   Linear({1, .3, .1}, FusionNormaliser::kNone),
                   {{.5, .4}, {0, 2}, {1, 0}},
                   {.6, 1}}));

TEST(FusionTest, TrueScoresKeepTheirDistance) {
  // The third was not listed, its score is known.
  ScoreList list = Listed({4, 2, 1});
  list.listed[2] = false;
  const std::vector<ScoreList> lists = {list};
  const auto fused = [&](FusionNormaliser normaliser, bool uses_true_scores) {
    Fusion fusion = Linear({1}, normaliser);
    fusion.inputs[0].uses_true_scores = uses_true_scores;
    return Fuse(fusion, lists).fused.scores;
  };
  EXPECT_THAT(fused(kMinMax, true), ElementsAre(1, 0, -.5));
  EXPECT_THAT(fused(kMinMax, false), ElementsAre(1, 0, 0));
  EXPECT_THAT(fused(kMinimum, true), ElementsAre(1, .5, .25));
  EXPECT_THAT(fused(kMinimum, false), ElementsAre(1, .5, 0));
  EXPECT_THAT(fused(FusionNormaliser::kNone, true), ElementsAre(4, 2, 1));
  EXPECT_THAT(fused(FusionNormaliser::kNone, false), ElementsAre(4, 2, 0));
  // Mean 3, deviation sqrt(2).
  EXPECT_NEAR(fused(kZScore, true)[2], -std::sqrt(2), 1e-12);
  EXPECT_NEAR(fused(kZScore, false)[2], -3, 1e-12);
  EXPECT_NEAR(fused(kDbsf, true)[2], .5 - std::sqrt(2) / 6, 1e-12);
  EXPECT_NEAR(fused(kDbsf, false)[2], 0, 1e-12);
}

TEST(FusionTest, WhatLiesBelowEqualScoresIsAsUnknown) {
  ScoreList list = Listed({4, 4, 1});
  list.listed[2] = false;
  const auto values = [&](FusionNormaliser normaliser) {
    return Normalise(list, normaliser);
  };
  EXPECT_THAT(values(kMinMax), ElementsAre(1, 1, 0));
  EXPECT_THAT(values(kZScore), ElementsAre(0, 0, -3));
  EXPECT_THAT(values(kDbsf), ElementsAre(.5, .5, 0));
}

TEST(FusionTest, AnEmptyListGivesNothing) {
  ScoreList list(2);
  list.scores = {3, 5};  // known, not listed
  for (const FusionNormaliser normaliser : {kMinMax, kDbsf, kMinimum}) {
    EXPECT_THAT(Normalise(ScoreList(2), normaliser), ElementsAre(0, 0));
  }
  EXPECT_THAT(Normalise(ScoreList(2), kZScore), ElementsAre(-3, -3));
  const std::vector<ScoreList> lists = {list, Listed({1, 2})};
  EXPECT_THAT(Fuse(Ranks({1, 1}), lists).fused.scores,
              ElementsAre(1. / 62, 1. / 61));
  EXPECT_THAT(
      Fuse(Ranks({1}), std::vector<ScoreList>{ScoreList(0)}).fused.scores,
      testing::IsEmpty());
}

TEST(FusionTest, ListsNest) {
  const std::vector<ScoreList> inner = {Listed({3, 2, kNone}),
                                        Listed({kNone, 2, 1})};
  FusedScores group = Fuse(Ranks({1, 1}), inner);
  EXPECT_THAT(ListedBestFirst(group.fused), ElementsAre(1, 0, 2));
  KeepBestListed(2, &group.fused);
  const std::vector<ScoreList> outer = {group.fused, Listed({kNone, 1, 9})};
  const FusedScores fused = Fuse(Ranks({2, 1}), outer);
  EXPECT_THAT(
      fused.fused.scores,
      Pointwise(DoubleNear(1e-12), {2. / 62, 2. / 61 + 1. / 62, 1. / 61}));
  EXPECT_THAT(fused.fused.listed, ElementsAre(true, true, true));
  EXPECT_THAT(fused.parts[0].values, ElementsAre(2, 1, 0));
}

TEST(FusionTest, PartsAddUp) {
  const std::vector<ScoreList> lists = {Listed({3, 2, kNone}),
                                        Listed({kNone, 2, 1})};
  for (const Fusion& fusion : {Ranks({1, 3}), Linear({2, -1}, kZScore)}) {
    const FusedScores fused = Fuse(fusion, lists);
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_DOUBLE_EQ(fused.fused.scores[c],
                       fused.parts[0].shares[c] + fused.parts[1].shares[c]);
    }
  }
}

struct RandomLists {
  explicit RandomLists(std::mt19937_64& random) {
    const size_t candidates = 1 + random() % 40;
    for (size_t i = 1 + random() % 4; i > 0; --i) {
      ScoreList list(candidates);
      for (size_t c = 0; c < candidates; ++c) {
        list.listed[c] = random() % 3 != 0;
        if (list.listed[c] || random() % 2 == 0) {
          list.scores[c] = static_cast<double>(random() % 30) / 4;
        }
      }
      lists.push_back(std::move(list));
    }
  }
  std::vector<ScoreList> lists;
};

ScoreList Without(const ScoreList& list, size_t dropped) {
  ScoreList less = list;
  less.scores.erase(less.scores.begin() + static_cast<std::ptrdiff_t>(dropped));
  less.listed.erase(less.listed.begin() + static_cast<std::ptrdiff_t>(dropped));
  return less;
}

// The promise of the header: what others the score of a candidate depends on.
TEST(FusionTest, OtherCandidatesCountOnlyWhereTheyMust) {
  std::mt19937_64 random(kTestSeed);
  SCOPED_TRACE(testing::Message() << "SEXTANT_SEED=" << kTestSeed);
  for (int round = 0; round < 300; ++round) {
    const std::vector<ScoreList> lists = RandomLists(random).lists;
    const size_t candidates = lists.front().size();
    const size_t dropped = random() % candidates;
    std::vector<ScoreList> less;
    bool is_best = false;
    for (const ScoreList& list : lists) {
      less.push_back(Without(list, dropped));
      const std::vector<uint32_t> order = ListedBestFirst(list);
      is_best = is_best || (!order.empty() && order.front() == dropped);
    }
    const std::vector<double> weights(lists.size(), .5);
    for (const FusionNormaliser normaliser :
         {FusionNormaliser::kNone, kMinimum}) {
      if (normaliser == kMinimum && is_best) {
        continue;
      }
      const Fusion fusion = Linear(weights, normaliser);
      EXPECT_EQ(Without(Fuse(fusion, lists).fused, dropped).scores,
                Fuse(fusion, less).fused.scores);
    }
    // Dropping one that is worse changes no rank.
    const std::vector<double> before =
        Without(Fuse(Ranks(weights), lists).fused, dropped).scores;
    const std::vector<double> after = Fuse(Ranks(weights), less).fused.scores;
    for (size_t c = 0; c < after.size(); ++c) {
      const size_t was = c < dropped ? c : c + 1;
      const bool is_worse_everywhere =
          std::all_of(lists.begin(), lists.end(), [&](const ScoreList& list) {
            return !list.listed[dropped] || !list.listed[was] ||
                   list.scores[dropped] < list.scores[was];
          });
      if (is_worse_everywhere) {
        EXPECT_EQ(before[c], after[c]);
      }
    }
  }
}

// Renumbering candidates changes no linear score.
TEST(FusionTest, NumbersOfCandidatesDoNotMatter) {
  std::mt19937_64 random(kTestSeed + 1);
  SCOPED_TRACE(testing::Message() << "SEXTANT_SEED=" << kTestSeed + 1);
  for (int round = 0; round < 100; ++round) {
    const std::vector<ScoreList> lists = RandomLists(random).lists;
    std::vector<size_t> order(lists.front().size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    std::vector<ScoreList> moved(lists.size(), ScoreList(order.size()));
    for (size_t i = 0; i < lists.size(); ++i) {
      for (size_t c = 0; c < order.size(); ++c) {
        moved[i].scores[c] = lists[i].scores[order[c]];
        moved[i].listed[c] = lists[i].listed[order[c]];
      }
    }
    for (const FusionNormaliser normaliser :
         {FusionNormaliser::kNone, kMinMax, kZScore, kDbsf, kMinimum}) {
      const Fusion fusion =
          Linear(std::vector<double>(lists.size(), 1), normaliser);
      const FusedScores before = Fuse(fusion, lists);
      const FusedScores after = Fuse(fusion, moved);
      for (size_t c = 0; c < order.size(); ++c) {
        EXPECT_NEAR(after.fused.scores[c], before.fused.scores[order[c]], 1e-9);
      }
    }
  }
}

TEST(FusionTest, LargeNumbersStayFinite) {
  const std::vector<ScoreList> lists = {Listed({-3e35, 2e35, 0})};
  for (const FusionNormaliser normaliser :
       {FusionNormaliser::kNone, kMinMax, kZScore, kDbsf, kMinimum}) {
    for (const double score :
         Fuse(Linear({Fusion::kWeightMax}, normaliser), lists).fused.scores) {
      EXPECT_TRUE(std::isfinite(score));
    }
  }
}

TEST(FusionTest, RefusesWhatMeansNothing) {
  const auto path = [](const Fusion& fusion) {
    return InvalidFieldPath(ValidateFusion(fusion));
  };
  EXPECT_EQ(path(Ranks({1, 0})), "");
  EXPECT_EQ(path(Linear({1, -1}, kMinMax)), "");
  EXPECT_EQ(path(Ranks({1, -1})), "sources[1].weight");
  EXPECT_EQ(path(Ranks({1, kNone})), "sources[1].weight");
  EXPECT_EQ(path(Ranks({2e6})), "sources[0].weight");
  EXPECT_EQ(path(Ranks({0, 0})), "sources");
  EXPECT_EQ(path(Ranks({})), "sources");
  Fusion fusion = Linear({-1}, kMinMax);
  fusion.inputs[0].uses_true_scores = false;
  EXPECT_EQ(path(fusion), "sources[0].weight");
  fusion = Linear({1}, kMinimum);
  fusion.inputs[0].theoretical_minimum = -HUGE_VAL;
  EXPECT_EQ(path(fusion), "sources[0].theoretical_minimum");
  for (const double constant : {-1.0, kNone, HUGE_VAL, 2e6}) {
    fusion = Ranks({1});
    fusion.rank_constant = constant;
    EXPECT_EQ(path(fusion), "fusion.rank_constant");
  }
}

}  // namespace
}  // namespace sextant
