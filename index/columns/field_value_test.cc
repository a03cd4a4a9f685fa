// SPDX-License-Identifier: Apache-2.0
#include "index/columns/field_value.h"

#include <cmath>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 5;

TEST(FieldValueTest, KeysCompareLikeIntegers) {
  std::mt19937_64 random(kTestSeed);
  for (int round = 0; round < 10000; ++round) {
    const auto a = static_cast<int64_t>(random());
    const int64_t b = round % 2 == 0 ? static_cast<int64_t>(random()) : -a;
    ASSERT_EQ(a < b, KeyOfInteger(a) < KeyOfInteger(b)) << a << " " << b;
    ASSERT_EQ(IntegerOfKey(KeyOfInteger(a)), a);
  }
  EXPECT_EQ(KeyOfInteger(std::numeric_limits<int64_t>::min()), 0U);
  EXPECT_EQ(KeyOfInteger(std::numeric_limits<int64_t>::max()),
            std::numeric_limits<uint64_t>::max());
}

TEST(FieldValueTest, KeysCompareLikeFloats) {
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<double> exponent(0, 100);
  for (int round = 0; round < 10000; ++round) {
    const double a = std::exp2(exponent(random)) * (random() % 2 == 0 ? 1 : -1);
    const double b = std::exp2(exponent(random)) * (random() % 2 == 0 ? 1 : -1);
    ASSERT_EQ(a < b, KeyOfFloat(a) < KeyOfFloat(b)) << a << " " << b;
    ASSERT_EQ(FloatOfKey(KeyOfFloat(a)), a);
    ASSERT_EQ(KeyOfFloat(std::nextafter(a, 1e308)), KeyOfFloat(a) + 1) << a;
  }
}

TEST(FieldValueTest, BothZerosAreOneKey) {
  EXPECT_EQ(KeyOfFloat(-0.0), KeyOfFloat(0.0));
  EXPECT_FALSE(std::signbit(FloatOfKey(KeyOfFloat(-0.0))));
  EXPECT_LT(KeyOfFloat(-std::numeric_limits<double>::denorm_min()),
            KeyOfFloat(0.0));
}

TEST(FieldValueTest, FalseIsBeforeTrue) {
  EXPECT_LT(KeyOfBoolean(false), KeyOfBoolean(true));
}

}  // namespace
}  // namespace sextant
