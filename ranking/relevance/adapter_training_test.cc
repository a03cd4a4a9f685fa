// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/adapter_training.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "ranking/relevance/operating_point.h"

namespace sextant {
namespace {

constexpr uint32_t kTestDimension = 8;

// Queries of two kinds, by the sign of their first number: what is relevant has
// cosines about 0.8 for one and about 0.5 for the other, and the rest 0.2 less.
struct TwoKinds {
  explicit TwoKinds(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    for (uint32_t q = 0; q < count; ++q) {
      std::vector<float> query(kTestDimension);
      float square = 0;
      for (float& x : query) {
        x = normal(random);
        square += x * x;
      }
      for (float& x : query) {
        numbers.push_back(x / std::sqrt(square));
      }
      const float middle = query[0] > 0 ? 0.8F : 0.5F;
      for (int i = 0; i < 20; ++i) {
        const bool relevant = i < 4;
        pairs.push_back(
            {q, middle - (relevant ? 0 : 0.2F) + 0.04F * normal(random),
             relevant});
      }
    }
  }
  TrainingSet set() const {
    return {{numbers.data(), numbers.size() / kTestDimension, kTestDimension,
             kTestDimension},
            pairs};
  }
  std::span<const float> Query(uint32_t q) const {
    return std::span(numbers).subspan(q * kTestDimension, kTestDimension);
  }

  std::vector<float> numbers;
  std::vector<LabelledPair> pairs;
};

double AveragePrecision(const TwoKinds& data, AdapterFamily family,
                        const Mlp* mlp) {
  std::vector<LabelledScore> scores;
  for (const LabelledPair& pair : data.pairs) {
    const auto cosine = static_cast<double>(pair.cosine);
    scores.push_back(
        {mlp == nullptr
             ? cosine
             : AdapterCurve::Of(family, Evaluate(*mlp, data.Query(pair.query)))
                   .Logit(cosine),
         pair.relevant});
  }
  return PrecisionRecallCurve(std::move(scores)).AveragePrecision();
}

class AdapterTrainingTest : public testing::TestWithParam<AdapterFamily> {};

TEST_P(AdapterTrainingTest, LearnsWhatACosineIsWorthForAQuery) {
  const TwoKinds training(400, 1);
  const TwoKinds fresh(400, 2);
  const RequestContext context;
  ASSERT_OK_AND_ASSIGN(const TrainedAdapter trained,
                       TrainAdapter(training.set(),
                                    {.family = GetParam(),
                                     .hidden = 16,
                                     .learning_rate = 0.003,
                                     .weight_decay = 0.01},
                                    context));
  ASSERT_OK(
      ValidateMlp(trained.mlp, kTestDimension, ParameterCount(GetParam())));
  EXPECT_GT(trained.epochs, 0U);
  EXPECT_LT(trained.loss, trained.shared_loss / 2);
  const double raw = AveragePrecision(fresh, GetParam(), nullptr);
  EXPECT_LT(raw, 0.75);
  EXPECT_GT(AveragePrecision(fresh, GetParam(), &trained.mlp), 0.9);
}

INSTANTIATE_TEST_SUITE_P(
    Families, AdapterTrainingTest,
    testing::Values(AdapterFamily::kLinear, AdapterFamily::kSquareRoot,
                    AdapterFamily::kQuadratic, AdapterFamily::kPower),
    [](const auto& test) {
      return std::string(NameOf(test.param)) == "square_root"
                 ? "SquareRoot"
                 : std::string(NameOf(test.param));
    });

TEST(AdapterTrainingTest, TheSameSeedGivesTheSameNetwork) {
  const TwoKinds data(50, 3);
  const RequestContext context;
  const TrainingOptions options{.hidden = 4, .epochs = 5, .seed = 7};
  ASSERT_OK_AND_ASSIGN(const TrainedAdapter a,
                       TrainAdapter(data.set(), options, context));
  ASSERT_OK_AND_ASSIGN(const TrainedAdapter b,
                       TrainAdapter(data.set(), options, context));
  ASSERT_EQ(a.mlp.layers.size(), 2U);
  EXPECT_EQ(a.mlp.layers[0].weights, b.mlp.layers[0].weights);
  EXPECT_EQ(a.mlp.layers[1].weights, b.mlp.layers[1].weights);
  EXPECT_EQ(a.loss, b.loss);
}

// Labels that queries say nothing about: what is left is a threshold.
TEST(AdapterTrainingTest, WithoutAnythingToLearnItIsOneCurve) {
  std::mt19937_64 random(5);
  TwoKinds data(30, 4);
  for (LabelledPair& pair : data.pairs) {
    pair.cosine = static_cast<float>(random() % 1000) / 1000;
    pair.relevant = pair.cosine > 0.6F;
  }
  ASSERT_OK_AND_ASSIGN(
      const TrainedAdapter trained,
      TrainAdapter(data.set(), {.epochs = 1, .learning_rate = 0.5},
                   RequestContext()));
  EXPECT_LE(trained.loss, trained.shared_loss);
}

TEST(AdapterTrainingTest, NeedsBothKindsOfLabelsAndStopsWhenAsked) {
  TwoKinds data(10, 6);
  RequestContext context;
  for (const bool relevant : {false, true}) {
    for (LabelledPair& pair : data.pairs) {
      pair.relevant = relevant;
    }
    EXPECT_EQ(TrainAdapter(data.set(), {}, context).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
  data = TwoKinds(10, 6);
  context.Cancel();
  EXPECT_EQ(TrainAdapter(data.set(), {}, context).status().code(),
            absl::StatusCode::kCancelled);
}

// One query and one pair of each kind are the least.
TEST(AdapterTrainingTest, TheLeastSetIsEnough) {
  const std::vector<float> query = {1, 0};
  const std::vector<LabelledPair> pairs = {{0, 0.9F, true}, {0, 0.1F, false}};
  ASSERT_OK_AND_ASSIGN(const TrainedAdapter trained,
                       TrainAdapter({{query.data(), 1, 2, 2}, pairs},
                                    {.hidden = 1}, RequestContext()));
  EXPECT_TRUE(std::isfinite(trained.loss));
  ASSERT_OK(ValidateMlp(trained.mlp, 2, 3));
}

TEST(AdapterTraining, TellsOfEachEpochAndEndsWhenItIsToldTo) {
  const TwoKinds training(60, 5);
  const RequestContext context;
  std::vector<TrainingEpoch> told;
  const auto listen = [&told](const TrainingEpoch& at) {
    told.push_back(at);
    return absl::OkStatus();
  };
  const TrainingOptions options{.hidden = 8, .epochs = 12, .patience = 100};
  ASSERT_OK_AND_ASSIGN(const TrainedAdapter trained,
                       TrainAdapter(training.set(), options, listen, context));
  ASSERT_EQ(told.size(), 12U);
  double best = trained.shared_loss;
  for (uint32_t i = 0; i < 12; ++i) {
    EXPECT_EQ(told[i].epoch, i + 1);
    EXPECT_EQ(told[i].epochs, 12U);
    best = std::min(best, told[i].loss);
    EXPECT_EQ(told[i].best_loss, best);
  }
  EXPECT_EQ(trained.loss, best);
  const auto stop = [](const TrainingEpoch& at) {
    return at.epoch < 3 ? absl::OkStatus() : absl::NotFoundError("dropped");
  };
  EXPECT_THAT(TrainAdapter(training.set(), options, stop, context),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace sextant
