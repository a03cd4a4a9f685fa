// SPDX-License-Identifier: Apache-2.0
#include "ranking/diversity.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Matrix = std::vector<std::vector<float>>;

std::vector<uint32_t> Select(const std::vector<float>& relevance,
                             double strength, size_t count,
                             const Matrix& matrix) {
  const auto chosen =
      SelectDiverse(relevance, strength, count,
                    [&](uint32_t first, std::span<const uint32_t> others,
                        std::span<float> out) {
                      for (size_t i = 0; i < others.size(); ++i) {
                        out[i] = matrix[first][others[i]];
                      }
                      return absl::OkStatus();
                    });
  EXPECT_OK(chosen);
  return *chosen;
}

// The definition, word by word.
std::vector<uint32_t> Expected(const std::vector<float>& relevance,
                               double strength, size_t count,
                               const Matrix& matrix) {
  std::vector<uint32_t> chosen;
  while (chosen.size() < std::min(count, relevance.size())) {
    int best = -1;
    double best_value = 0;
    for (uint32_t i = 0; i < relevance.size(); ++i) {
      if (std::count(chosen.begin(), chosen.end(), i) > 0) {
        continue;
      }
      double value = relevance[i];
      if (!chosen.empty()) {
        float nearest = matrix[i][chosen[0]];
        for (const uint32_t j : chosen) {
          nearest = std::max(nearest, matrix[i][j]);
        }
        value = (1 - strength) * value - strength * double{nearest};
      }
      if (best < 0 || value > best_value) {
        best = static_cast<int>(i);
        best_value = value;
      }
    }
    chosen.push_back(static_cast<uint32_t>(best));
  }
  return chosen;
}

// 0 and 1 are twins.
const std::vector<float> kRelevance = {0.9F, 0.89F, 0.5F};
const Matrix kTwins = {{1, 1, 0}, {1, 1, 0}, {0, 0, 1}};

TEST(DiversityTest, ATwinComesLater) {
  EXPECT_THAT(Select(kRelevance, 0.5, 3, kTwins), ElementsAre(0, 2, 1));
  EXPECT_THAT(Select(kRelevance, 0.5, 2, kTwins), ElementsAre(0, 2));
}

TEST(DiversityTest, StrengthZeroIsTheOrderOfRelevance) {
  EXPECT_THAT(Select(kRelevance, 0, 3, kTwins), ElementsAre(0, 1, 2));
  EXPECT_THAT(Select({0.1F, 0.9F, 0.9F}, 0, 3, kTwins), ElementsAre(1, 2, 0));
}

TEST(DiversityTest, StrengthOneLooksAtDistanceAlone) {
  EXPECT_THAT(Select(kRelevance, 1, 3, kTwins), ElementsAre(0, 2, 1));
}

TEST(DiversityTest, FewCandidates) {
  EXPECT_THAT(Select({}, 0.5, 3, {}), IsEmpty());
  EXPECT_THAT(Select({0.5F}, 0.5, 3, {{1}}), ElementsAre(0));
  EXPECT_THAT(Select(kRelevance, 0.5, 0, kTwins), IsEmpty());
}

TEST(DiversityTest, ErrorsOfTheSimilarityEndIt) {
  EXPECT_THAT(
      SelectDiverse(kRelevance, 0.5, 2,
                    [](uint32_t, std::span<const uint32_t>, std::span<float>) {
                      return absl::CancelledError("enough");
                    }),
      StatusIs(absl::StatusCode::kCancelled));
}

TEST(DiversityTest, EqualsTheDefinition) {
  std::mt19937_64 random(test::TestSeed());
  // Coarse numbers, so that there are ties.
  const auto number = [&] {
    return static_cast<float>(static_cast<int>(random() % 9) - 4) / 4;
  };
  for (int round = 0; round < 200; ++round) {
    const size_t n = random() % 25;
    std::vector<float> relevance(n);
    Matrix matrix(n, std::vector<float>(n));
    for (size_t i = 0; i < n; ++i) {
      relevance[i] = number();
      for (size_t j = 0; j <= i; ++j) {
        matrix[i][j] = matrix[j][i] = number();
      }
    }
    const double strength = static_cast<double>(random() % 5) / 4;
    const size_t count = random() % (n + 3);
    ASSERT_EQ(Select(relevance, strength, count, matrix),
              Expected(relevance, strength, count, matrix));
  }
}

}  // namespace
}  // namespace sextant
