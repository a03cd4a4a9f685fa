// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/mlp.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

Mlp Sample() {
  return {{{2, 3, {1, 2, -1, 0, 0.5F, -0.5F}, {0, 1, -2}},
           {3, 2, {1, -1, 2, 0, 3, 1}, {0.25F, -1}}}};
}

TEST(MlpTest, IsWhatTheFormulaSays) {
  ASSERT_OK(ValidateMlp(Sample(), 2, 2));
  // Hidden: 3 + 8 = 11, max(0, -3 + 1) = 0, max(0, 1.5 - 2 - 2) = 0.
  EXPECT_THAT(Evaluate(Sample(), std::vector<float>{3, 4}),
              ElementsAre(DoubleNear(11.25, 1e-12), DoubleNear(-1, 1e-12)));
  // Hidden: max(0, -2) = 0, 2 + 1 = 3, max(0, -1 - 2) = 0.
  EXPECT_THAT(Evaluate(Sample(), std::vector<float>{-2, 0}),
              ElementsAre(DoubleNear(-2.75, 1e-12), DoubleNear(8, 1e-12)));
}

TEST(MlpTest, TheGreatestWeightsGiveFiniteNumbers) {
  Mlp mlp;
  uint32_t width = 512;
  for (const uint32_t next : {64U, 64U, 64U, 3U}) {
    mlp.layers.push_back({width, next,
                          std::vector<float>(width * next, Mlp::kWeightMax),
                          std::vector<float>(next, Mlp::kWeightMax)});
    width = next;
  }
  ASSERT_OK(ValidateMlp(mlp, 512, 3));
  for (const double output : Evaluate(mlp, std::vector<float>(512, 1e15F))) {
    EXPECT_TRUE(std::isfinite(output));
  }
}

TEST(MlpTest, BadLayersAreNamed) {
  const auto path = [](const Mlp& mlp) {
    return InvalidFieldPath(ValidateMlp(mlp, 2, 2));
  };
  EXPECT_EQ(path({}), "layers");
  Mlp mlp = Sample();
  mlp.layers.resize(5, mlp.layers[1]);
  EXPECT_EQ(path(mlp), "layers");
  mlp = Sample();
  mlp.layers[0].inputs = 3;
  EXPECT_EQ(path(mlp), "layers[0].inputs");
  mlp = Sample();
  mlp.layers[1].outputs = 3;
  EXPECT_EQ(path(mlp), "layers[1].outputs");
  mlp = Sample();
  mlp.layers[0].outputs = 1025;
  EXPECT_EQ(path(mlp), "layers[0].outputs");
  mlp = Sample();
  mlp.layers[0].weights.pop_back();
  EXPECT_EQ(path(mlp), "layers[0].weights");
  mlp = Sample();
  mlp.layers[1].weights[2] = std::nanf("");
  EXPECT_EQ(path(mlp), "layers[1].weights");
  mlp = Sample();
  mlp.layers[1].biases[0] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(path(mlp), "layers[1].biases");
  mlp = Sample();
  mlp.layers[1].biases.clear();
  EXPECT_EQ(path(mlp), "layers[1].biases");
}

}  // namespace
}  // namespace sextant
