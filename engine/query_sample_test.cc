// SPDX-License-Identifier: Apache-2.0
#include "engine/query_sample.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/thread.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

// Vector i is {i}.
void OfferAll(QuerySample* sample, int first, int end) {
  for (int i = first; i < end; ++i) {
    if (sample->Wants()) {
      sample->Take({static_cast<float>(i)});
    }
  }
}

TEST(QuerySampleTest, IsOffUntilItIsStarted) {
  QuerySample sample(1);
  OfferAll(&sample, 0, 1000);
  EXPECT_EQ(sample.summary().seen, 0U);
  EXPECT_TRUE(sample.Read().kept.empty());
  EXPECT_TRUE(sample.recent().empty());
  sample.Start(10, 1);
  OfferAll(&sample, 0, 1000);
  EXPECT_EQ(sample.summary().seen, 1000U);
  EXPECT_EQ(sample.summary().kept, 10U);
  EXPECT_EQ(sample.recent().size(), QuerySample::kRecent);
  sample.Start(0, 0);
  OfferAll(&sample, 0, 1000);
  EXPECT_EQ(sample.summary().kept, 0U);
}

TEST(QuerySampleTest, KeepsAllUntilItIsFull) {
  QuerySample sample(1);
  sample.Start(400, 1);
  OfferAll(&sample, 0, 400);
  const std::vector<float> kept = sample.Read().kept;
  ASSERT_EQ(kept.size(), 400U);
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i], static_cast<float>(i));
  }
}

TEST(QuerySampleTest, TheSameSeedKeepsTheSame) {
  QuerySample a(1);
  QuerySample b(1);
  QuerySample other(1);
  a.Start(20, 5);
  b.Start(20, 5);
  other.Start(20, 6);
  for (QuerySample* sample : {&a, &b, &other}) {
    OfferAll(sample, 0, 5000);
  }
  EXPECT_EQ(a.Read().kept, b.Read().kept);
  EXPECT_NE(a.Read().kept, other.Read().kept);
}

// Each of the vectors is kept as often as any other, by chi squared over tens
// of them; also after a restart in between.
TEST(QuerySampleTest, IsUniform) {
  const uint64_t seed = test::TestSeed();
  constexpr int kVectors = 1000;
  constexpr int kRounds = 2000;
  constexpr int kBins = 10;
  for (const bool restart : {false, true}) {
    std::vector<double> counts(kBins);
    for (int round = 0; round < kRounds; ++round) {
      QuerySample sample(1);
      sample.Start(10, seed + static_cast<uint64_t>(round));
      OfferAll(&sample, 0, kVectors / 2);
      if (restart) {
        QuerySample::Content content = sample.Read();
        content.recent.clear();
        sample.Restore(std::move(content));
      }
      OfferAll(&sample, kVectors / 2, kVectors);
      for (const float kept : sample.Read().kept) {
        counts[static_cast<size_t>(kept) * kBins / kVectors] += 1;
      }
    }
    const double expected = 10.0 * kRounds / kBins;
    double chi_squared = 0;
    for (const double count : counts) {
      chi_squared += (count - expected) * (count - expected) / expected;
    }
    // 9 degrees of freedom: beyond 45 once in a million times. A restart
    // replaces a random number by its middle, which moves shares a little.
    EXPECT_LT(chi_squared, restart ? 200 : 45) << restart;
  }
}

TEST(QuerySampleTest, TheNewestAreOfTheEnd) {
  QuerySample sample(1);
  sample.Start(10, 1);
  constexpr int kVectors = 100'000;
  OfferAll(&sample, 0, kVectors);
  const std::vector<float> recent = sample.recent();
  ASSERT_EQ(recent.size(), QuerySample::kRecent);
  for (const float one : recent) {
    EXPECT_GE(one, kVectors - 2 * static_cast<int>(QuerySample::kRecent *
                                                   QuerySample::kRecentEvery));
  }
}

TEST(QuerySampleTest, OtherDimensionsAreLetGo) {
  QuerySample sample(2);
  sample.Start(10, 1);
  ASSERT_TRUE(sample.Wants());
  sample.Take({1, 2, 3});
  EXPECT_EQ(sample.summary().kept, 0U);
}

TEST(QuerySampleTest, ManyThreadsOfferAndRead) {
  QuerySample sample(4);
  sample.Start(50, 1);
  std::vector<std::unique_ptr<Thread>> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(std::make_unique<Thread>("offer", [&sample, t] {
      for (int i = 0; i < 5000; ++i) {
        if (sample.Wants()) {
          sample.Take(std::vector<float>(4, static_cast<float>(t)));
        }
        if (i % 1000 == 0) {
          EXPECT_LE(sample.Read().kept.size(), 200U);
        }
      }
    }));
  }
  threads.clear();  // joins
  EXPECT_EQ(sample.summary().seen, 20'000U);
  for (size_t row = 0; row < sample.summary().kept; ++row) {
    const std::vector<float> kept = sample.Read().kept;
    EXPECT_EQ(kept[4 * row], kept[4 * row + 3]);
  }
}

}  // namespace
}  // namespace sextant
