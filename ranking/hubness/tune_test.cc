// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/tune.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "ranking/hubness/hubness_test_vectors.h"

namespace sextant {
namespace {

using test::NoLimit;
using test::TestVectors;

// Queries are their answers with noise, and the noise has a direction of its
// own, so that items which lie in it are near to all queries.
class TuneTest : public testing::Test {
 protected:
  TestVectors Noisy(const TestVectors& items, double aside, uint64_t seed) {
    TestVectors queries = items;
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    const uint32_t d = items.dimension;
    for (size_t i = 0; i < queries.numbers.size(); ++i) {
      queries.numbers[i] +=
          static_cast<float>(0.25 * normal(random) + (i % d == 1 ? aside : 0));
    }
    for (size_t row = 0; row < queries.rows().count; ++row) {
      double squares = 0;
      for (uint32_t i = 0; i < d; ++i) {
        const auto x = static_cast<double>(queries.numbers[row * d + i]);
        squares += x * x;
      }
      for (uint32_t i = 0; i < d; ++i) {
        queries.numbers[row * d + i] /= static_cast<float>(std::sqrt(squares));
      }
    }
    return queries;
  }

  absl::StatusOr<TuneResult> Tune(double aside) {
    const TestVectors items(900, 16, 1);
    const TestVectors queries = Noisy(items, aside, 2);
    std::vector<uint32_t> answers(600);
    std::iota(answers.begin(), answers.end(), 0U);
    TuneInput input;
    input.gallery = items.rows();
    input.queries = queries.rows().Sub(0, 600);
    input.answers = answers;
    input.banks.queries = queries.rows().Sub(600, 300);
    return TuneNormalizer(input, {}, {nullptr, NoLimit()});
  }
};

TEST_F(TuneTest, RecommendsWhatHelps) {
  ASSERT_OK_AND_ASSIGN(const TuneResult result, Tune(1.5));
  ASSERT_TRUE(result.recommended.has_value()) << result.reason;
  EXPECT_EQ(*result.recommended, result.trials.front().spec);
  EXPECT_GT(result.trials.front().held_out.mean_reciprocal_rank,
            result.raw_held_out.mean_reciprocal_rank);
  EXPECT_LT(result.trials.front().hubness.skewness,
            result.raw_hubness.skewness);
  EXPECT_EQ(result.tuning_queries + result.held_out_queries, 600U);
  EXPECT_GT(result.gain, 0);
}

TEST_F(TuneTest, EveryTrialIsToldAndHasItsHubness) {
  const TestVectors items(60, 4, 1);
  std::vector<uint32_t> answers(60);
  std::iota(answers.begin(), answers.end(), 0U);
  TuneInput input{.gallery = items.rows(),
                  .queries = items.rows(),
                  .answers = answers,
                  .banks = {items.rows(), {}}};
  TuneOptions options;
  options.candidates = {DefaultSpec(NormalizerMethod::kCsls),
                        DefaultSpec(NormalizerMethod::kInvertedSoftmax)};
  std::vector<std::pair<size_t, size_t>> told;
  options.on_trial = [&told](size_t tried, size_t all) {
    told.emplace_back(tried, all);
  };
  ASSERT_OK_AND_ASSIGN(const TuneResult result,
                       TuneNormalizer(input, options, {nullptr, NoLimit()}));
  EXPECT_THAT(told,
              testing::ElementsAre(testing::Pair(1, 2), testing::Pair(2, 2)));
  // Recomputed from the ranking of the held-out queries alone.
  EXPECT_EQ(result.raw_hubness.queries, result.held_out_queries);
  for (const TuneTrial& trial : result.trials) {
    EXPECT_EQ(trial.hubness.queries, result.held_out_queries);
    EXPECT_EQ(trial.hubness.items, 60U);
    EXPECT_EQ(trial.hubness.k, kTuneHubnessNeighbors);
    EXPECT_GT(trial.hubness.greatest, 0U);
  }
}

TEST_F(TuneTest, CorrectedNearestAreThoseOfAFullSort) {
  const TestVectors items(300, 8, 5);
  const TestVectors queries = Noisy(items, 1.0, 6);
  std::vector<uint32_t> answers(300);
  std::iota(answers.begin(), answers.end(), 0U);
  TuneInput input{.gallery = items.rows(),
                  .queries = queries.rows(),
                  .answers = answers,
                  .banks = {queries.rows(), {}}};
  const PassRun run{nullptr, NoLimit()};
  ASSERT_OK_AND_ASSIGN(
      const GalleryBias bias,
      BiasOfGallery(DefaultSpec(NormalizerMethod::kInvertedSoftmax),
                    input.banks, input.similarity, input.gallery, run));
  ASSERT_OK_AND_ASSIGN(const std::vector<Neighbor> nearest,
                       CorrectedNearest(input, &bias, 3, run));
  for (size_t query = 0; query < 300; ++query) {
    std::vector<double> scores(300);
    for (size_t row = 0; row < 300; ++row) {
      for (uint32_t i = 0; i < 8; ++i) {
        scores[row] += static_cast<double>(queries.rows().row(query)[i]) *
                       static_cast<double>(items.rows().row(row)[i]);
      }
      scores[row] -= static_cast<double>(bias.For(0)[row]);
    }
    std::sort(scores.begin(), scores.end(), std::greater<>());
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(static_cast<double>(nearest[query * 3 + i].similarity),
                  scores[i], 1e-5);
    }
  }
}

TEST_F(TuneTest, IsDeterministic) {
  ASSERT_OK_AND_ASSIGN(const TuneResult a, Tune(1.5));
  ASSERT_OK_AND_ASSIGN(const TuneResult b, Tune(1.5));
  EXPECT_EQ(a.reason, b.reason);
}

TEST_F(TuneTest, PlacesCountWhatIsBetterAndHalfOfWhatIsEqual) {
  // Gallery rows 0 and 1 are equal; the query is nearest to row 2.
  const std::vector<float> gallery = {1, 0, 1, 0, 0, 1};
  const std::vector<float> query = {0.6F, 0.8F};
  TuneInput input;
  input.gallery = {gallery.data(), 3, 2, 2};
  std::vector<float> queries;
  std::vector<uint32_t> answers;
  for (uint32_t i = 0; i < 21; ++i) {
    queries.insert(queries.end(), query.begin(), query.end());
    answers.push_back(i % 3);
  }
  input.queries = {queries.data(), 21, 2, 2};
  input.answers = answers;
  ASSERT_OK_AND_ASSIGN(const std::vector<double> places,
                       PlacesOfAnswers(input, nullptr, {nullptr, NoLimit()}));
  EXPECT_EQ(places[0], 2.5);
  EXPECT_EQ(places[1], 2.5);
  EXPECT_EQ(places[2], 1);
  const RetrievalQuality quality = QualityOf(places);
  EXPECT_NEAR(quality.recall_at_1, 1.0 / 3, 1e-12);
  EXPECT_EQ(quality.recall_at_5, 1);
  EXPECT_NEAR(quality.mean_reciprocal_rank, (1 + 0.4 + 0.4) / 3, 1e-12);
}

TEST_F(TuneTest, BadInputIsNamed) {
  const TestVectors items(30, 4, 1);
  std::vector<uint32_t> answers(30, 0);
  TuneInput input{.gallery = items.rows(),
                  .queries = items.rows(),
                  .answers = answers,
                  .banks = {items.rows(), {}}};
  const PassRun run{nullptr, NoLimit()};
  EXPECT_OK(TuneNormalizer(input, {}, run));
  EXPECT_THAT(TuneNormalizer(input, {.held_out = 1}, run),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      TuneNormalizer(
          input, {.candidates = {DefaultSpec(NormalizerMethod::kNicdm)}}, run),
      StatusIs(absl::StatusCode::kInvalidArgument,
               testing::HasSubstr("nicdm")));
  answers[3] = 30;
  EXPECT_THAT(TuneNormalizer(input, {}, run),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::HasSubstr("answer 30")));
  input.queries.count = 5;
  EXPECT_THAT(TuneNormalizer(input, {}, run),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::HasSubstr("fewer than 20")));
}

}  // namespace
}  // namespace sextant
