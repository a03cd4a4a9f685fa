// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

TEST(Check, PassesSilentlyAndEvaluatesOnce) {
  int evaluated = 0;
  CHECK(++evaluated == 1) << "never printed";
  CHECK_EQ(evaluated, 1);
  CHECK_NE(evaluated, 2);
  CHECK_LT(evaluated, 2);
  CHECK_LE(evaluated, 1);
  CHECK_GT(evaluated, 0);
  CHECK_GE(evaluated, 1);
  CHECK_OK(absl::OkStatus());
  CHECK_OK(absl::StatusOr<int>(1));
}

TEST(Check, BindsToTheRightElse) {
  bool reached = false;
  const bool condition = !reached;
  // NOLINTNEXTLINE(readability-braces-around-statements): that is tested
  if (!condition)
    CHECK(false);
  // NOLINTNEXTLINE(readability-braces-around-statements): that is tested
  else
    reached = true;
  EXPECT_TRUE(reached);
}

TEST(CheckDeathTest, NamesPlaceConditionAndValues) {
  EXPECT_DEATH(CHECK(1 > 2) << "extra " << 7,
               "check_test.cc:.*CHECK failed: 1 > 2 extra 7");
  EXPECT_DEATH(CHECK_EQ(1 + 1, 3), "\\(2 vs. 3\\)");
  EXPECT_DEATH(CHECK_OK(absl::DataLossError("bad block")),
               "DATA_LOSS: bad block");
}

TEST(CheckDeathTest, DcheckFollowsTheBuild) {
#ifdef NDEBUG
  int evaluated = 0;
  DCHECK(++evaluated > 5);
  DCHECK_EQ(++evaluated, 5);
  EXPECT_EQ(evaluated, 0);
#else
  EXPECT_DEATH(DCHECK(false), "CHECK failed");
#endif
}

}  // namespace
}  // namespace sextant
