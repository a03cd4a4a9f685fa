// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/cosine_adapter.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

constexpr std::array<AdapterFamily, 4> kFamilies = {
    AdapterFamily::kLinear, AdapterFamily::kSquareRoot,
    AdapterFamily::kQuadratic, AdapterFamily::kPower};

TEST(CosineAdapterTest, FamiliesAreTheirFormulas) {
  const std::vector<double> outputs = {2, -1.5, 0.7};
  const double a = std::log(1 + std::exp(2.0));
  const double p = std::log(1 + std::exp(0.7));
  const std::array<double, 4> maps = {0.4, std::sqrt(0.4), 0.16,
                                      std::pow(0.4, p)};
  for (size_t i = 0; i < kFamilies.size(); ++i) {
    const AdapterCurve curve = AdapterCurve::Of(kFamilies[i], outputs);
    const double z = a * maps[i] - 1.5;
    EXPECT_NEAR(curve.Logit(0.4), z, 1e-12) << NameOf(kFamilies[i]);
    EXPECT_NEAR(curve.Score(0.4), 1 / (1 + std::exp(-z)), 1e-12);
    EXPECT_EQ(curve.Logit(-0.3), curve.Logit(0));
    EXPECT_EQ(curve.Logit(1.5), curve.Logit(1));
  }
}

TEST(CosineAdapterTest, NamesReadBack) {
  for (const AdapterFamily family : kFamilies) {
    ASSERT_OK_AND_ASSIGN(const AdapterFamily read,
                         AdapterFamilyOf(NameOf(family)));
    EXPECT_EQ(read, family);
  }
  EXPECT_EQ(InvalidFieldPath(AdapterFamilyOf("cubic").status()), "family");
  EXPECT_EQ(ParameterCount(AdapterFamily::kPower), 3U);
  EXPECT_EQ(ParameterCount(AdapterFamily::kLinear), 2U);
}

// For outputs far beyond what a network learns, too.
TEST(CosineAdapterTest, TheInverseIsWhereTheScoreReachesTheThreshold) {
  constexpr double kHuge = 1e300;
  const std::array<double, 13> values = {-kHuge, -1e4, -800, -30, -3,  -0.1, 0,
                                         0.1,    3,    30,   800, 1e4, kHuge};
  size_t inside = 0;
  for (const AdapterFamily family : kFamilies) {
    for (const double o1 : values) {
      for (const double o2 : values) {
        for (const double o3 : values) {
          const AdapterCurve curve =
              AdapterCurve::Of(family, std::array<double, 3>{o1, o2, o3});
          for (const double s : {-1.0, 0.0, 1e-300, 0.5, 1.0}) {
            ASSERT_TRUE(std::isfinite(curve.Logit(s)));
          }
          for (const double t : {1e-12, 0.2, 0.5, 0.9, 1 - 1e-12}) {
            const double least = curve.LeastCosine(t);
            ASSERT_FALSE(std::isnan(least));
            if (least == AdapterCurve::kAll) {
              EXPECT_GE(curve.Logit(0), LogitOf(t));
            } else if (least == AdapterCurve::kNone) {
              EXPECT_LT(curve.Logit(1), LogitOf(t));
            } else {
              ++inside;
              ASSERT_GE(least, 0);
              ASSERT_LE(least, 1);
              const double slack =
                  1e-9 * (1 + std::abs(LogitOf(t)) + curve.a + std::abs(o2));
              EXPECT_GE(curve.Logit(least * (1 + 1e-9)), LogitOf(t) - slack);
              if (least > 1e-12) {
                EXPECT_LE(curve.Logit(least * (1 - 1e-9)), LogitOf(t) + slack);
              }
            }
          }
        }
      }
    }
  }
  EXPECT_GT(inside, 100U);
}

TEST(CosineAdapterTest, ACurveWithoutASlopeSaysAllOrNothing) {
  const AdapterCurve flat{AdapterFamily::kPower, 0, 0.5, 0};
  EXPECT_EQ(flat.LeastCosine(0.5), AdapterCurve::kAll);
  EXPECT_EQ(flat.LeastCosine(0.9), AdapterCurve::kNone);
  EXPECT_EQ(flat.Logit(0), 0.5);
  // The power 0 tells 0 from all others, and nothing else.
  const AdapterCurve step{AdapterFamily::kPower, 4, -2, 0};
  EXPECT_EQ(step.Logit(0), -2);
  EXPECT_EQ(step.Logit(1e-300), 2);
  const double least = step.LeastCosine(0.5);
  EXPECT_GT(least, 0);
  EXPECT_LT(least, 1e-300);
}

TEST(CosineAdapterTest, ScoresNeverFallWhereCosinesGrow) {
  for (const AdapterFamily family : kFamilies) {
    for (const double o1 : {-5.0, 0.0, 8.0}) {
      const AdapterCurve curve =
          AdapterCurve::Of(family, std::array<double, 3>{o1, -2, -1});
      double before = -std::numeric_limits<double>::infinity();
      for (double s = -1; s <= 1; s += 1.0 / 512) {
        const double z = curve.Logit(s);
        EXPECT_GE(z, before);
        before = z;
      }
    }
  }
}

}  // namespace
}  // namespace sextant
