// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/mutex.h"

namespace sextant {
namespace {

// Opens once; Wait() returns from then on.
class Gate {
 public:
  void Open() {
    MutexLock lock(&mutex_);
    open_ = true;
    opened_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(&mutex_);
    while (!open_) {
      opened_.Wait(&mutex_);
    }
  }

 private:
  Mutex mutex_;
  CondVar opened_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

TEST(ThreadPool, DestructorRunsWhatIsQueued) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool({.threads = 2});
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(pool.TrySchedule([&ran]() { ++ran; }));
    }
  }
  EXPECT_EQ(ran.load(), 100);
}

TEST(ThreadPool, RefusesWhenTheQueueIsFull) {
  Gate started;
  Gate finish;
  ThreadPool pool({.threads = 1, .queue_max = 1});
  ASSERT_TRUE(pool.TrySchedule([&]() {
    started.Open();
    finish.Wait();
  }));
  started.Wait();
  EXPECT_TRUE(pool.TrySchedule([]() {}));
  EXPECT_EQ(pool.queued(), 1u);
  EXPECT_FALSE(pool.TrySchedule([]() {}));
  finish.Open();
}

TEST(ThreadPool, NamesItsThreads) {
  std::string name;
  {
    ThreadPool pool({.name = "search", .threads = 1});
    ASSERT_TRUE(pool.TrySchedule([&name]() {
      char buffer[16] = {};
      pthread_getname_np(pthread_self(), buffer, sizeof(buffer));
      name = buffer;
    }));
  }
  EXPECT_EQ(name, "search-0");
}

struct ParallelForCase {
  std::string name;
  size_t n;
  int max_threads;
};

class ParallelForTest : public testing::TestWithParam<ParallelForCase> {};

TEST_P(ParallelForTest, RunsEachIndexOnce) {
  ThreadPool pool({.threads = 3});
  std::vector<std::atomic<int>> runs(GetParam().n);
  pool.ParallelFor(GetParam().n, GetParam().max_threads,
                   [&runs](size_t i) { ++runs[i]; });
  for (const std::atomic<int>& run : runs) {
    EXPECT_EQ(run.load(), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, ParallelForTest,
    testing::Values(ParallelForCase{"Nothing", 0, 4},
                    ParallelForCase{"One", 1, 4},
                    ParallelForCase{"Many", 1000, 4},
                    ParallelForCase{"OneThread", 100, 1},
                    ParallelForCase{"MoreThreadsThanThePoolHas", 100, 64},
                    ParallelForCase{"ThreadsBelowOne", 10, -5}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(ThreadPool, ParallelForWorksInsideATaskOfABusyPool) {
  std::atomic<int> sum{0};
  {
    ThreadPool pool({.threads = 1, .queue_max = 1});
    ASSERT_TRUE(pool.TrySchedule(
        [&]() { pool.ParallelFor(50, 4, [&sum](size_t) { ++sum; }); }));
  }
  EXPECT_EQ(sum.load(), 50);
}

TEST(ThreadPool, ParallelForReturnsWithoutWaitingForQueuedHelpers) {
  Gate started;
  Gate finish;
  ThreadPool pool({.threads = 1});
  ASSERT_TRUE(pool.TrySchedule([&]() {
    started.Open();
    finish.Wait();
  }));
  started.Wait();
  int runs = 0;  // The only thread is blocked: all work is the caller's.
  pool.ParallelFor(10, 2, [&runs](size_t) { ++runs; });
  EXPECT_EQ(runs, 10);
  finish.Open();
}

}  // namespace
}  // namespace sextant
