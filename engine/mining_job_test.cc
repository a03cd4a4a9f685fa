// SPDX-License-Identifier: Apache-2.0
// Mining of pairs against float64 by brute force.
#include "engine/mining_job.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/exact_cosine.h"
#include "engine/limits.h"

namespace sextant {
namespace {

using testing::HasSubstr;
using Numbers = std::vector<float>;
using Model = std::map<uint64_t, Numbers>;

constexpr uint32_t kTestDimension = 12;

class MiningJobTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    source_ = Create("source", test::OneFieldSchema(kTestDimension));
    target_ = Create("target", test::OneFieldSchema(kTestDimension));
  }

  // Half of it sealed, some deleted.
  void Fill(const std::shared_ptr<Collection>& collection, Model* model,
            uint64_t first, uint64_t count) {
    Upsert(collection, model, first, count / 2);
    ASSERT_OK(collection->SealAndWait(test::Unlimited()));
    Upsert(collection, model, first + count / 2, count - count / 2);
    for (uint64_t id = first; id < first + count; id += 13) {
      const std::vector<PointId> ids = {id};
      ASSERT_OK(collection->Delete(ids, test::Unlimited()));
      model->erase(id);
    }
  }
  void Upsert(const std::shared_ptr<Collection>& collection, Model* model,
              uint64_t first, uint64_t count) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      // Noisy copies of one another across the collections.
      Numbers vector = test::SeededVector(id % 1000 + seed_, kTestDimension);
      const Numbers noise = test::SeededVector(random_(), kTestDimension);
      for (size_t i = 0; i < vector.size(); ++i) {
        vector[i] += 0.5F * noise[i];
      }
      vector[0] += 1;
      (*model)[id] = vector;
      points.push_back(test::MakePoint(id, vector));
    }
    ASSERT_OK(collection->Upsert(std::move(points), test::Unlimited()));
  }

  using Pairs = std::map<std::pair<uint64_t, uint64_t>, double>;

  static Pairs Found(const MiningJob& job) {
    Pairs pairs;
    double last = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < job.size(); ++i) {
      const MinedIds pair = job.pair(i);
      EXPECT_LE(pair.score, last);
      last = pair.score;
      pairs[{std::get<uint64_t>(pair.source),
             std::get<uint64_t>(pair.target)}] = pair.score;
    }
    EXPECT_EQ(pairs.size(), job.size()) << "a pair came twice";
    return pairs;
  }

  // The candidates nearest of every point, best first.
  static std::map<uint64_t, std::vector<std::pair<double, uint64_t>>> Lists(
      const Model& from, const Model& to, size_t candidates, bool itself) {
    std::map<uint64_t, std::vector<std::pair<double, uint64_t>>> lists;
    for (const auto& [id, vector] : from) {
      auto& list = lists[id];
      for (const auto& [other, other_vector] : to) {
        if (!itself || other != id) {
          list.emplace_back(test::ExactCosine(vector, other_vector), other);
        }
      }
      std::sort(list.rbegin(), list.rend());
      list.resize(std::min(candidates, list.size()));
    }
    return lists;
  }

  // Pairs and scores as the paper says.
  static Pairs Expected(const Model& from, const Model& to,
                        const MiningQuery& query, bool itself = false) {
    const size_t k = query.k;
    const auto forward = Lists(from, to, query.candidates, itself);
    const auto backward = Lists(to, from, query.candidates, itself);
    const auto mean = [k](const auto& list) {
      double sum = 0;
      for (size_t i = 0; i < k; ++i) {
        sum += list[i].first;
      }
      return sum / static_cast<double>(k);
    };
    const auto score = [&](uint64_t x, uint64_t y, double a) {
      const double b = (mean(forward.at(x)) + mean(backward.at(y))) / 2;
      return query.margin == MarginKind::kAbsolute   ? a
             : query.margin == MarginKind::kDistance ? a - b
                                                     : a / b;
    };
    std::map<uint64_t, std::pair<double, uint64_t>> best_of_x;
    for (const auto& [x, list] : forward) {
      best_of_x[x] = {-1e9, 0};
      for (const auto& [a, y] : list) {
        best_of_x[x] = std::max(best_of_x[x], {score(x, y, a), y});
      }
    }
    std::map<uint64_t, std::pair<double, uint64_t>> best_of_y;
    for (const auto& [y, list] : backward) {
      best_of_y[y] = {-1e9, 0};
      for (const auto& [a, x] : list) {
        best_of_y[y] = std::max(best_of_y[y], {score(x, y, a), x});
      }
    }
    std::vector<std::pair<double, std::pair<uint64_t, uint64_t>>> all;
    if (query.mode != MiningMode::kBackward) {
      for (const auto& [x, best] : best_of_x) {
        if (query.mode != MiningMode::kIntersection ||
            best_of_y[best.second].second == x) {
          all.push_back({best.first, {x, best.second}});
        }
      }
    }
    if (query.mode == MiningMode::kBackward || query.mode == MiningMode::kMax) {
      for (const auto& [y, best] : best_of_y) {
        all.push_back({best.first, {best.second, y}});
      }
    }
    std::sort(all.rbegin(), all.rend());
    Pairs pairs;
    std::set<uint64_t> used_x;
    std::set<uint64_t> used_y;
    for (auto& [value, pair] : all) {
      auto [x, y] = pair;
      if (itself && x > y) {
        std::swap(x, y);
      }
      if (query.mode == MiningMode::kMax) {
        std::set<uint64_t>& other = itself ? used_x : used_y;
        if (used_x.contains(x) || other.contains(y)) {
          continue;
        }
        used_x.insert(x);
        other.insert(y);
      }
      if (!query.threshold.has_value() || value > *query.threshold) {
        pairs.emplace(std::make_pair(x, y), value);
      }
    }
    return pairs;
  }

  // Nearly equal scores may stand the other way round in float32, and a greedy
  // choice among them changes others.
  static void ExpectSame(const Pairs& found, const Pairs& expected) {
    constexpr size_t kOthersMax = 4;
    EXPECT_LE(found.size(), expected.size() + kOthersMax);
    size_t others = 0;
    for (const auto& [pair, score] : expected) {
      const auto it = found.find(pair);
      if (it == found.end()) {
        ++others;
      } else {
        EXPECT_NEAR(it->second, score, 1e-4);
      }
    }
    EXPECT_LE(others, kOthersMax);
  }

  absl::StatusOr<std::unique_ptr<MiningJob>> Make(MiningQuery query,
                                                  bool itself = false) {
    query.source.collection = source_;
    query.target.collection = itself ? source_ : target_;
    return MiningJob::Make(query, test::Unlimited());
  }
  static void Run(MiningJob* job) {
    ASSERT_OK(job->Run([](const WorkProgress&) {}, test::Unlimited()));
    EXPECT_TRUE(job->done());
  }

  std::shared_ptr<Collection> source_;
  std::shared_ptr<Collection> target_;
  Model sources_;
  Model targets_;
  const uint64_t seed_ = test::TestSeed();
  std::mt19937_64 random_{seed_};
};

TEST_F(MiningJobTest, AllMarginsAndModesAsThePaperSays) {
  ASSERT_NO_FATAL_FAILURE(Fill(source_, &sources_, 0, 260));
  ASSERT_NO_FATAL_FAILURE(Fill(target_, &targets_, 1000, 340));
  for (const MarginKind margin :
       {MarginKind::kAbsolute, MarginKind::kDistance, MarginKind::kRatio}) {
    for (const MiningMode mode :
         {MiningMode::kForward, MiningMode::kBackward,
          MiningMode::kIntersection, MiningMode::kMax}) {
      SCOPED_TRACE(absl::StrCat("margin ", static_cast<int>(margin), " mode ",
                                static_cast<int>(mode)));
      MiningQuery query;
      query.margin = margin;
      query.mode = mode;
      query.k = 3;
      query.candidates = 8;
      query.exact = true;
      ASSERT_OK_AND_ASSIGN(const auto job, Make(query));
      ASSERT_NO_FATAL_FAILURE(Run(job.get()));
      ExpectSame(Found(*job), Expected(sources_, targets_, query));
    }
  }
}

TEST_F(MiningJobTest, AFieldWithItselfHasEachPairOnce) {
  ASSERT_NO_FATAL_FAILURE(Fill(source_, &sources_, 0, 300));
  for (const MiningMode mode : {MiningMode::kForward, MiningMode::kMax}) {
    SCOPED_TRACE(static_cast<int>(mode));
    MiningQuery query;
    query.mode = mode;
    query.k = 4;
    query.candidates = 10;
    query.exact = true;
    ASSERT_OK_AND_ASSIGN(const auto job, Make(query, /*itself=*/true));
    ASSERT_NO_FATAL_FAILURE(Run(job.get()));
    ExpectSame(Found(*job), Expected(sources_, sources_, query, true));
  }
}

TEST_F(MiningJobTest, ThresholdAndIndex) {
  ASSERT_NO_FATAL_FAILURE(Fill(source_, &sources_, 0, 600));
  ASSERT_NO_FATAL_FAILURE(Fill(target_, &targets_, 1000, 600));
  MiningQuery query;
  query.k = 4;
  query.candidates = 16;
  query.threshold = 1.1;
  const Pairs expected = Expected(sources_, targets_, query);
  ASSERT_OK_AND_ASSIGN(const auto job, Make(query));
  ASSERT_NO_FATAL_FAILURE(Run(job.get()));
  const Pairs found = Found(*job);
  size_t same = 0;
  for (const auto& [pair, score] : found) {
    EXPECT_GT(score, 1.1);
    same += expected.contains(pair) ? 1U : 0U;
  }
  // Graphs find nearly all neighbours.
  EXPECT_GE(static_cast<double>(same),
            0.95 * static_cast<double>(expected.size()));
}

TEST_F(MiningJobTest, GoesOnWhereItWasStopped) {
  const size_t count = kJoinSlice + 400;
  ASSERT_NO_FATAL_FAILURE(Fill(source_, &sources_, 0, count));
  ASSERT_NO_FATAL_FAILURE(Fill(target_, &targets_, 1000, 200));
  ASSERT_OK_AND_ASSIGN(const auto job, Make({}));
  RequestContext stopped;
  const auto stop = [&stopped](const WorkProgress& at) {
    if (at.done >= kJoinSlice) {
      stopped.Cancel();
    }
  };
  EXPECT_THAT(job->Run(stop, stopped), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(job->done());
  // What is written meanwhile is not seen.
  ASSERT_NO_FATAL_FAILURE(Upsert(target_, &targets_, 5000, 10));
  std::vector<uint64_t> told;
  ASSERT_OK(job->Run([&](const WorkProgress& at) { told.push_back(at.done); },
                     test::Unlimited()));
  EXPECT_EQ(told.front(), kJoinSlice);
  EXPECT_EQ(told.back(), sources_.size() + targets_.size() - 10);
  const Pairs found = Found(*job);
  EXPECT_FALSE(found.empty());
  for (const auto& [pair, score] : found) {
    EXPECT_LT(pair.second, 5000U);
  }
}

TEST_F(MiningJobTest, FewPointsAndNone) {
  ASSERT_OK_AND_ASSIGN(const auto empty, Make({}));
  ASSERT_NO_FATAL_FAILURE(Run(empty.get()));
  EXPECT_EQ(empty->size(), 0U);
  ASSERT_NO_FATAL_FAILURE(Upsert(source_, &sources_, 0, 1));
  ASSERT_OK_AND_ASSIGN(const auto one, Make({}));
  ASSERT_NO_FATAL_FAILURE(Run(one.get()));
  EXPECT_EQ(one->size(), 0U);
  ASSERT_OK_AND_ASSIGN(const auto alone, Make({}, /*itself=*/true));
  ASSERT_NO_FATAL_FAILURE(Run(alone.get()));
  EXPECT_EQ(alone->size(), 0U);
  ASSERT_NO_FATAL_FAILURE(Upsert(target_, &targets_, 1000, 1));
  ASSERT_OK_AND_ASSIGN(const auto pair, Make({}));
  ASSERT_NO_FATAL_FAILURE(Run(pair.get()));
  EXPECT_EQ(pair->size(), 1U);
}

TEST_F(MiningJobTest, WhatIsWrongIsNamed) {
  const auto expect = [this](MiningQuery query, const char* message) {
    EXPECT_THAT(
        Make(std::move(query)).status(),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  MiningQuery query;
  query.k = 101;
  expect(query, "k: 1 to 100, got 101");
  query.k = 10;
  query.candidates = 9;
  expect(query, "candidates: 10 to 100, got 9");
  query = {};
  query.source.field = "other";
  expect(query, "source_field: no vector field 'other'");
  query = {};
  query.target.field = "other";
  expect(query, "target_field: no vector field 'other'");
  target_ = Create("narrow", test::OneFieldSchema(kTestDimension - 1));
  expect({}, "target_field: cosine of dimension 11; the source has cosine");
  target_ = Create("far", test::OneFieldSchema(kTestDimension, Metric::kL2));
  expect({}, "target_field: margins are of cosines");
}

}  // namespace
}  // namespace sextant
