// SPDX-License-Identifier: Apache-2.0
//
// Kills the process that writes, at random moments and at every crash point in
// the code, and checks what is left.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <regex>
#include <set>
#include <string>

#include "gtest/gtest.h"

#include "tests/crash/driver.h"
#include "tests/crash/engine_check.h"

namespace sextant::test {
namespace {

constexpr int kKills = 20;
constexpr int kCrashExit = 42;

uint64_t Sum(const Progress& progress) {
  uint64_t sum = 0;
  for (const uint64_t n : progress) {
    sum += n;
  }
  return sum;
}

TEST(KillLoopTest, LosesNoAcknowledgedWrite) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const TempDir directory;
  Ledger ledger(seed);
  for (int number = 0; number < kKills && !::testing::Test::HasFailure();
       ++number) {
    SCOPED_TRACE(absl::StrCat("kill ", number));
    Progress acknowledged;
    Progress attempted;
    {
      DriverProcess driver(
          {.path = directory.path(), .seed = seed, .done = ledger.done()});
      if (number % 5 == 4) {
        driver.Run(static_cast<int>(random() % 60));  // while it recovers
      } else {
        ASSERT_TRUE(driver.RunUntilReady());
        driver.Run(static_cast<int>(30 + random() % 400));
      }
      driver.Kill();
      acknowledged = driver.acknowledged();
      attempted = driver.attempted();
    }
    CheckAfterCrash(directory.path(), acknowledged, attempted, &ledger,
                    &random);
  }
  std::cout << kKills << " kills, " << Sum(ledger.done())
            << " requests written, 0 acknowledged ones lost\n";
  EXPECT_GT(Sum(ledger.done()), 20U) << "too little was written to prove it";
}

// Every CRASH_POINT("name") in the product's code.
std::set<std::string> CrashPoints() {
  std::set<std::string> names;
  const std::regex mark("CRASH_POINT\\(\"([^\"]+)\"\\)");
  for (const char* folder : {"storage", "engine"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".cc" ||
          entry.path().stem().string().ends_with("_test")) {
        continue;
      }
      std::ifstream file(entry.path());
      const std::string text((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
      for (std::sregex_iterator it(text.begin(), text.end(), mark), end;
           it != end; ++it) {
        names.insert((*it)[1]);
      }
    }
  }
  return names;
}

TEST(CrashPointTest, EveryPointLeavesAWholeDirectory) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const std::set<std::string> points = CrashPoints();
  ASSERT_GE(points.size(), 16U);
  int crashes = 0;
  for (const std::string& point : points) {
    for (const int pass : {1, 2}) {
      SCOPED_TRACE(absl::StrCat(point, ":", pass));
      const TempDir directory;
      Ledger ledger(seed);
      Progress acknowledged;
      Progress attempted;
      {
        DriverProcess driver({.path = directory.path(),
                              .seed = seed,
                              .requests = 25,
                              .environment = absl::StrCat(
                                  "SEXTANT_CRASH_POINT=", point, ":", pass)});
        const int exit_code = driver.Wait();
        // Some points are passed once in a start only.
        ASSERT_TRUE(exit_code == kCrashExit || (pass > 1 && exit_code == 0))
            << "exit code " << exit_code;
        crashes += exit_code == kCrashExit ? 1 : 0;
        acknowledged = driver.acknowledged();
        attempted = driver.attempted();
      }
      CheckAfterCrash(directory.path(), acknowledged, attempted, &ledger,
                      &random);
      // It goes on from there, to a clean end.
      if (pass > 1) {
        DriverProcess driver({.path = directory.path(),
                              .seed = seed,
                              .done = ledger.done(),
                              .requests = 5});
        ASSERT_EQ(driver.Wait(), 0);
        acknowledged = driver.acknowledged();
        CheckAfterCrash(directory.path(), acknowledged, acknowledged, &ledger,
                        &random);
      }
      if (::testing::Test::HasFailure()) {
        return;
      }
    }
  }
  std::cout << points.size() << " crash points, " << crashes << " crashes\n";
}

}  // namespace
}  // namespace sextant::test
