// SPDX-License-Identifier: Apache-2.0
#include "ranking/boost.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double ValueOf(const Boost& boost, const std::vector<BoostValue>& values) {
  const Boosted boosted = ApplyBoost(boost, values, 0);
  return boosted.boost.value_or(-777);
}

Boost Number(NumberBoost::Shape shape, double factor) {
  return {NumberBoost{shape, factor}};
}

TEST(BoostTest, Numbers) {
  using Shape = NumberBoost::Shape;
  struct {
    Shape shape;
    double factor;
    double value;
    double expected;
  } const cases[] = {
      {Shape::kIdentity, 2, 3, 6},      {Shape::kIdentity, -2, 3, -6},
      {Shape::kLog, 2, 3, std::log(7)}, {Shape::kLog, 2, -3, 0},
      {Shape::kSqrt, 2, 8, 4},          {Shape::kSqrt, 1, -1, 0},
      {Shape::kSaturation, .1, 10, .5}, {Shape::kSaturation, .1, 90, .9},
      {Shape::kSaturation, .1, -90, 0}, {Shape::kSaturation, 1e15, 1e300, 1},
  };
  for (const auto& c : cases) {
    const Boost boost = Number(c.shape, c.factor);
    ASSERT_OK(ValidateBoost(boost, "boost"));
    EXPECT_DOUBLE_EQ(ValueOf(boost, {c.value}), c.expected)
        << static_cast<int>(c.shape) << " " << c.factor << " " << c.value;
  }
}

TEST(BoostTest, Decays) {
  using Shape = DecayBoost::Shape;
  struct {
    double value;
    double exp;
    double gauss;
    double linear;
  } const cases[] = {
      {100, 1, 1, 1},
      {105, 1, 1, 1},
      {95, 1, 1, 1},
      {125, .5, .5, .5},
      {75, .5, .5, .5},  // offset + scale away: `decay`
      {145, .25, .0625, 0},
      {165, .125, 1. / 512, 0},
      {115, std::sqrt(.5), std::pow(.5, .25), .75},
  };
  for (const auto& c : cases) {
    const auto value = [&](Shape shape) {
      return ValueOf({DecayBoost{shape, 100, 5, 20, .5}}, {c.value});
    };
    EXPECT_NEAR(value(Shape::kExp), c.exp, 1e-12) << c.value;
    EXPECT_NEAR(value(Shape::kGauss), c.gauss, 1e-12) << c.value;
    EXPECT_NEAR(value(Shape::kLinear), c.linear, 1e-12) << c.value;
  }
}

TEST(BoostTest, Tables) {
  const Boost boost{TableBoost{{{"helpx", 1}, {"blog", .2}}, .05}};
  EXPECT_EQ(ValueOf(boost, {absl::string_view("helpx")}), 1);
  EXPECT_EQ(ValueOf(boost, {absl::string_view("blog")}), .2);
  EXPECT_EQ(ValueOf(boost, {absl::string_view("other")}), .05);
  EXPECT_EQ(
      ValueOf(boost, {absl::string_view("other"), absl::string_view("blog")}),
      .2);
}

TEST(BoostTest, AddsOrMultiplies) {
  Boost boost = Number(NumberBoost::Shape::kIdentity, 1);
  boost.weight = .5;
  EXPECT_EQ(ApplyBoost(boost, {4.}, 10).score, 12);
  boost.mode = Boost::Mode::kMultiply;
  EXPECT_EQ(ApplyBoost(boost, {4.}, 10).score, 40);
  // A boost above 1 lifts, one below 1 lowers.
  EXPECT_EQ(ApplyBoost(boost, {4.}, -10).score, -2.5);
  EXPECT_EQ(ApplyBoost(boost, {.5}, -10).score, -20);
  EXPECT_EQ(ApplyBoost(boost, {0.}, 10).score, 10 * Boost::kLeastFactor);
  EXPECT_EQ(ApplyBoost(boost, {-3.}, 10).score, 10 * Boost::kLeastFactor);
}

TEST(BoostTest, TheBestOfSeveralValuesCounts) {
  Boost boost = Number(NumberBoost::Shape::kIdentity, 1);
  EXPECT_EQ(ApplyBoost(boost, {4., 9., 1.}, 0).score, 9);
  boost.weight = -1;
  EXPECT_EQ(ApplyBoost(boost, {4., 9., 1.}, 0).score, -1);
}

TEST(BoostTest, WithoutAValueTheScoreStays) {
  for (const Boost::Mode mode : {Boost::Mode::kAdd, Boost::Mode::kMultiply}) {
    Boost boost = Number(NumberBoost::Shape::kIdentity, 1);
    boost.mode = mode;
    for (const std::vector<BoostValue>& values :
         {std::vector<BoostValue>{}, {absl::string_view("text")}}) {
      const Boosted boosted = ApplyBoost(boost, values, 10);
      EXPECT_EQ(boosted.score, 10);
      EXPECT_FALSE(boosted.boost.has_value());
    }
    boost.missing = 2;
    EXPECT_EQ(ApplyBoost(boost, {}, 10).score,
              mode == Boost::Mode::kAdd ? 12 : 20);
  }
}

TEST(BoostTest, ScoresStayFinite) {
  Boost boost = Number(NumberBoost::Shape::kIdentity, 1e15);
  boost.weight = 1e15;
  for (const double value : {1e308, -1e308, kInfinity, -kInfinity}) {
    for (const Boost::Mode mode : {Boost::Mode::kAdd, Boost::Mode::kMultiply}) {
      boost.mode = mode;
      for (const double score : {1e308, -1e308, 0.}) {
        EXPECT_TRUE(std::isfinite(ApplyBoost(boost, {value}, score).score))
            << value << " " << score;
      }
    }
  }
}

TEST(BoostTest, RefusesNumbersOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto path = [](const Boost& boost) {
    return InvalidFieldPath(ValidateBoost(boost, "boosts[0]"));
  };
  using Shape = NumberBoost::Shape;
  for (const double factor : {0., nan, kInfinity, 1e16}) {
    EXPECT_EQ(path(Number(Shape::kIdentity, factor)), "boosts[0].factor");
    EXPECT_EQ(path(Number(Shape::kLog, factor)), "boosts[0].factor");
  }
  EXPECT_EQ(path(Number(Shape::kIdentity, -1)), "");
  EXPECT_EQ(path(Number(Shape::kSqrt, -1)), "boosts[0].factor");
  EXPECT_EQ(path({TableBoost{}}), "boosts[0].values");
  EXPECT_EQ(path({TableBoost{{{"a\n", nan}}}}), "boosts[0].values[a\\n]");
  EXPECT_EQ(path({TableBoost{{{"a", 1}}, kInfinity}}), "boosts[0].otherwise");
  EXPECT_EQ(path({DecayBoost{.origin = nan}}), "boosts[0].origin");
  EXPECT_EQ(path({DecayBoost{.offset = -1}}), "boosts[0].offset");
  for (const double scale : {0., -1., nan, kInfinity}) {
    EXPECT_EQ(path({DecayBoost{.scale = scale}}), "boosts[0].scale");
  }
  for (const double decay : {0., 1., -1., 2., nan}) {
    EXPECT_EQ(path({DecayBoost{.decay = decay}}), "boosts[0].decay");
  }
  Boost boost{DecayBoost{}};
  EXPECT_EQ(path(boost), "");
  boost.weight = nan;
  EXPECT_EQ(path(boost), "boosts[0].weight");
  boost.weight = 1;
  boost.missing = nan;
  EXPECT_EQ(path(boost), "boosts[0].missing");
}

}  // namespace
}  // namespace sextant
