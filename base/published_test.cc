// SPDX-License-Identifier: Apache-2.0
#include "base/published.h"

#include <atomic>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

#include "base/thread.h"

namespace sextant {
namespace {

struct Pair {
  int a;
  int b;
};

TEST(Published, StartsEmptyOrWithAValue) {
  EXPECT_EQ(Published<Pair>().Load(), nullptr);
  const Published<Pair> published(std::make_shared<Pair>(Pair{1, 1}));
  EXPECT_EQ(published.Load()->a, 1);
}

TEST(Published, ReadersKeepTheVersionTheyLoaded) {
  Published<Pair> published(std::make_shared<Pair>(Pair{1, 1}));
  const std::shared_ptr<const Pair> old = published.Load();
  published.Store(std::make_shared<Pair>(Pair{2, 2}));
  EXPECT_EQ(old->a, 1);
  EXPECT_EQ(published.Load()->a, 2);
}

TEST(Published, ReadersNeverSeeHalfAVersion) {
  constexpr int kVersions = 2000;
  Published<Pair> published(std::make_shared<Pair>(Pair{0, 0}));
  std::atomic<int> torn{0};
  {
    std::vector<std::unique_ptr<Thread>> readers;
    for (int t = 0; t < 3; ++t) {
      readers.push_back(std::make_unique<Thread>("reader", [&]() {
        int last = 0;
        while (last < kVersions) {
          const std::shared_ptr<const Pair> pair = published.Load();
          if (pair->a != pair->b || pair->a < last) {
            ++torn;
          }
          last = pair->a;
        }
      }));
    }
    for (int version = 1; version <= kVersions; ++version) {
      published.Store(std::make_shared<Pair>(Pair{version, version}));
    }
  }
  EXPECT_EQ(torn.load(), 0);
}

}  // namespace
}  // namespace sextant
