// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.h"

#include <cstdio>
#include <cstdlib>

#include "gtest/gtest.h"

namespace sextant {
namespace {

using crash_point_internal::kExitCode;

// Passes the points "a" and "b:c" five times each and says which pass came
// last.
void PassFiveTimes() {
  for (int pass = 1; pass <= 5; ++pass) {
    std::fprintf(stderr, "pass %d\n", pass);
    CRASH_POINT("a");
    CRASH_POINT("b:c");
  }
  std::exit(0);  // NOLINT(concurrency-mt-unsafe): one thread.
}

// The variable is read once per process, so each case runs in a process of its
// own: a "threadsafe" death test starts this binary again.
class CrashPointDeathTest : public testing::Test {
 protected:
  void SetUp() override {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
  void TearDown() override {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs
    unsetenv("SEXTANT_CRASH_POINT");
  }

  static void Arm(const char* value) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs
    setenv("SEXTANT_CRASH_POINT", value, /*overwrite=*/1);
  }
};

TEST_F(CrashPointDeathTest, UnarmedPointsDoNothing) {
  EXPECT_EXIT(PassFiveTimes(), testing::ExitedWithCode(0), "pass 5");
}

TEST_F(CrashPointDeathTest, StopsAtTheChosenPass) {
  Arm("a:3");
  EXPECT_EXIT(PassFiveTimes(), testing::ExitedWithCode(kExitCode), "pass 3\n$");
}

TEST_F(CrashPointDeathTest, NamesMayHoldColons) {
  Arm("b:c:1");
  EXPECT_EXIT(PassFiveTimes(), testing::ExitedWithCode(kExitCode), "pass 1\n$");
}

TEST_F(CrashPointDeathTest, OtherNamesAndLaterPassesDoNotStop) {
  Arm("b:1");
  EXPECT_EXIT(PassFiveTimes(), testing::ExitedWithCode(0), "pass 5");
  Arm("a:6");
  EXPECT_EXIT(PassFiveTimes(), testing::ExitedWithCode(0), "pass 5");
}

TEST_F(CrashPointDeathTest, AMalformedValueIsAMistake) {
  Arm("a");
  EXPECT_DEATH(PassFiveTimes(), "must be name:n");
  Arm("a:0");
  EXPECT_DEATH(PassFiveTimes(), "at least 1");
}

}  // namespace
}  // namespace sextant
