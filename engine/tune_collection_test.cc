// SPDX-License-Identifier: Apache-2.0
#include "engine/tune_collection.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/exact_cosine.h"
#include "engine/limits.h"
#include "engine/live_vectors.h"
#include "engine/normalizer_catalog.h"

namespace sextant {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Numbers = std::vector<float>;

constexpr uint32_t kTestDimension = 16;

class TuneCollectionTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    collection_ = Create("docs", test::OneFieldSchema(kTestDimension));
  }

  // Points [0, count): sealed, growing, some overwritten, some deleted.
  void Fill(uint64_t count) {
    Upsert(0, count / 2);
    ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
    Upsert(count / 4, count - count / 4);
    for (uint64_t id = 0; id < count; id += 7) {
      const std::vector<PointId> ids = {id};
      ASSERT_OK(collection_->Delete(ids, test::Unlimited()));
      model_.erase(id);
    }
  }
  void Upsert(uint64_t first, uint64_t count) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      model_[id] = test::SeededVector(random_(), kTestDimension);
      points.push_back(test::MakePoint(id, model_[id]));
    }
    ASSERT_OK(collection_->Upsert(std::move(points), test::Unlimited()));
  }

  // The point with noise that has a direction of its own.
  Numbers Noisy(Numbers vector) {
    const Numbers noise = test::SeededVector(random_(), kTestDimension);
    for (size_t i = 0; i < vector.size(); ++i) {
      vector[i] += noise[i];
    }
    vector[1] += 3;
    return vector;
  }
  TuneQuery QueryOf(size_t pairs) {
    TuneQuery query;
    query.query_bank = "asked";
    for (const auto& [id, vector] : model_) {
      if (query.pairs.size() < pairs) {
        query.pairs.push_back({Noisy(vector), id});
      }
    }
    return query;
  }
  void PutBank(const std::string& name, size_t count) {
    BankUpload upload{name, "", false, {}};
    for (auto it = model_.rbegin(); upload.vectors.size() < count; ++it) {
      upload.vectors.push_back(Noisy(it->second));
    }
    ASSERT_OK(
        (*collection_->normalizers())->PutBank(upload, test::Unlimited()));
  }

  absl::StatusOr<TuneAnswer> Tune(const TuneQuery& query) {
    auto pinned = collection_->Pin();
    EXPECT_OK(pinned.status());
    return TuneCollection(
        *pinned, query,
        [this](const WorkProgress& at) {
          told_.emplace_back(at.done, at.total);
        },
        test::Unlimited());
  }

  // Share of the queries whose answer is first, in float64.
  double RawRecallAt1(const TuneQuery& query) const {
    size_t right = 0;
    for (const AnsweredQuery& pair : query.pairs) {
      double most = -2;
      uint64_t best = 0;
      for (const auto& [id, vector] : model_) {
        const double score = test::ExactCosine(pair.query, vector);
        if (score > most) {
          most = score;
          best = id;
        }
      }
      right += PointId(best) == pair.id ? 1U : 0U;
    }
    return static_cast<double>(right) / static_cast<double>(query.pairs.size());
  }

  std::shared_ptr<Collection> collection_;
  std::map<uint64_t, Numbers> model_;
  std::vector<std::pair<uint64_t, uint64_t>> told_;
  std::mt19937_64 random_{test::TestSeed()};
};

TEST_F(TuneCollectionTest, RanksTheLivePointsOfAllSegments) {
  ASSERT_NO_FATAL_FAILURE(Fill(900));
  ASSERT_NO_FATAL_FAILURE(PutBank("asked", 200));
  TuneQuery query = QueryOf(300);
  query.methods = {"inverted_softmax", "csls", "margin_distance"};
  ASSERT_OK_AND_ASSIGN(const TuneAnswer answer, Tune(query));
  EXPECT_EQ(answer.gallery_points, model_.size());
  EXPECT_EQ(answer.collection_points, model_.size());
  EXPECT_EQ(answer.field, "embedding");
  const TuneResult& result = answer.result;
  EXPECT_EQ(result.tuning_queries + result.held_out_queries, 300U);
  const double recall = (result.raw_tuning.recall_at_1 *
                             static_cast<double>(result.tuning_queries) +
                         result.raw_held_out.recall_at_1 *
                             static_cast<double>(result.held_out_queries)) /
                        300;
  EXPECT_NEAR(recall, RawRecallAt1(query), 0.004);
  // 4 values of beta, 3 of k, and the usual one.
  ASSERT_EQ(result.trials.size(), 8U);
  ASSERT_EQ(told_.size(), 9U);
  EXPECT_EQ(told_.front(), std::make_pair(uint64_t{0}, uint64_t{8}));
  EXPECT_EQ(told_.back(), std::make_pair(uint64_t{8}, uint64_t{8}));
  double squares = 0;
  for (const AnsweredQuery& pair : query.pairs) {
    squares += 2 - 2 * test::ExactCosine(pair.query,
                                         model_[std::get<uint64_t>(pair.id)]);
  }
  ASSERT_TRUE(answer.alignment.has_value());
  EXPECT_NEAR(*answer.alignment, squares / 300, 1e-5);
}

TEST_F(TuneCollectionTest, ASampleHoldsEveryRightAnswer) {
  ASSERT_NO_FATAL_FAILURE(Fill(900));
  ASSERT_NO_FATAL_FAILURE(PutBank("asked", 50));
  TuneQuery query = QueryOf(100);
  query.methods = {"csls"};
  query.gallery_points_max = 250;
  ASSERT_OK_AND_ASSIGN(const TuneAnswer sampled, Tune(query));
  EXPECT_EQ(sampled.gallery_points, 250U);
  EXPECT_EQ(sampled.collection_points, model_.size());
  // Two pairs with one answer, and no room for anything but the answers.
  query.pairs[1].id = query.pairs[0].id;
  query.gallery_points_max = 10;
  ASSERT_OK_AND_ASSIGN(const TuneAnswer answers_alone, Tune(query));
  EXPECT_EQ(answers_alone.gallery_points, 99U);
  // Fewer competitors.
  EXPECT_GE(answers_alone.result.raw_held_out.recall_at_10,
            sampled.result.raw_held_out.recall_at_10);
}

TEST_F(TuneCollectionTest, DualMethodsNeedAGalleryBank) {
  ASSERT_NO_FATAL_FAILURE(Fill(400));
  ASSERT_NO_FATAL_FAILURE(PutBank("asked", 50));
  ASSERT_OK((*collection_->normalizers())
                ->SampleBank({"points", "", 60, 1}, test::Unlimited()));
  TuneQuery query = QueryOf(40);
  query.methods = {"dual_inverted_softmax"};
  EXPECT_THAT(Tune(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                    StartsWith("methods[0]: ")));
  query.gallery_bank = "points";
  ASSERT_OK_AND_ASSIGN(const TuneAnswer answer, Tune(query));
  for (const TuneTrial& trial : answer.result.trials) {
    EXPECT_EQ(trial.spec.method, NormalizerMethod::kDualInvertedSoftmax);
  }
}

TEST_F(TuneCollectionTest, WhatIsWrongIsNamed) {
  ASSERT_NO_FATAL_FAILURE(Fill(400));
  ASSERT_NO_FATAL_FAILURE(PutBank("asked", 50));
  const TuneQuery good = QueryOf(40);
  const auto expect = [this](const TuneQuery& query, const char* message) {
    EXPECT_THAT(Tune(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr(message)));
  };
  TuneQuery bad = good;
  bad.pairs.resize(19);
  expect(bad, "pairs: 20 to 10000, got 19");
  bad = good;
  bad.pairs[3].query.pop_back();
  expect(bad, "pairs[3].query: ");
  bad = good;
  bad.pairs[4].query.assign(kTestDimension, 0);
  expect(bad, "pairs[4].query: ");
  bad = good;
  bad.pairs[5].id = uint64_t{7};  // deleted
  expect(bad, "pairs[5].id: no point 7");
  bad = good;
  bad.pairs[6].id = "a";
  expect(bad, "pairs[6].id: ");
  bad = good;
  bad.query_bank = "other";
  expect(bad, "query_bank: no bank 'other'");
  bad = good;
  bad.gallery_bank = "other";
  expect(bad, "gallery_bank: no bank 'other'");
  bad = good;
  bad.field = "other";
  expect(bad, "field: no vector field 'other'");
  bad = good;
  bad.methods = {"csls", "nicdm"};
  expect(bad, "methods[1]: ");
  bad.methods = {"magic"};
  expect(bad, "methods[0]: ");
  bad = good;
  bad.held_out = 1;
  expect(bad, "held_out: ");
  bad = good;
  bad.gallery_points_max = limits::kTuneGalleryMax + 1;
  expect(bad, "gallery_points_max: 0 to 200000");
}

TEST_F(TuneCollectionTest, StopsWhenNobodyWaits) {
  ASSERT_NO_FATAL_FAILURE(Fill(400));
  ASSERT_NO_FATAL_FAILURE(PutBank("asked", 50));
  ASSERT_OK_AND_ASSIGN(const PinnedCollection pinned, collection_->Pin());
  RequestContext context;
  size_t told = 0;
  const auto stop = [&](const WorkProgress& at) {
    ++told;
    if (at.done == 2) {
      context.Cancel();
    }
  };
  EXPECT_THAT(TuneCollection(pinned, QueryOf(40), stop, context),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(told, 3U);
}

TEST_F(TuneCollectionTest, LiveVectorsAreNumberedBothWays) {
  ASSERT_NO_FATAL_FAILURE(Fill(700));
  ASSERT_OK_AND_ASSIGN(const PinnedCollection pinned, collection_->Pin());
  ASSERT_OK_AND_ASSIGN(const LiveVectors vectors,
                       LiveVectors::Of(*pinned.snapshot, 0, test::Unlimited()));
  ASSERT_EQ(vectors.size(), model_.size());
  for (size_t i = 0; i < vectors.size(); ++i) {
    const auto id =
        std::get<uint64_t>(DecodeId(IdKind::kNumber, vectors.id(i)));
    const Numbers stored(vectors.vector(i), vectors.vector(i) + kTestDimension);
    EXPECT_NEAR(test::ExactCosine(stored, model_.at(id)), 1, 1e-6);
  }
  uint32_t next = 0;
  for (uint32_t s = 0; s < pinned.snapshot->segments.size(); ++s) {
    const SegmentView& view = *pinned.snapshot->segments[s];
    std::vector<uint32_t> numbers;
    for (Ordinal row = 0; row < view.rows; ++row) {
      const uint32_t number = vectors.NumberOf(s, row);
      EXPECT_EQ(number == LiveVectors::kNone, view.dead.Contains(row));
      if (number != LiveVectors::kNone) {
        EXPECT_EQ(vectors.id(number), view.id(row));
        numbers.push_back(number);
      }
    }
    next += static_cast<uint32_t>(numbers.size());
  }
  EXPECT_EQ(next, vectors.size());
}

}  // namespace
}  // namespace sextant
