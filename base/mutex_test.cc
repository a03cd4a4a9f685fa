// SPDX-License-Identifier: Apache-2.0
#include "base/mutex.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

#include "base/thread.h"

namespace sextant {
namespace {

class Counter {
 public:
  void Add() {
    MutexLock lock(&mutex_);
    ++value_;
    changed_.NotifyAll();
  }

  void WaitFor(int value) {
    MutexLock lock(&mutex_);
    while (value_ < value) {
      changed_.Wait(&mutex_);
    }
  }

  int Read() {
    MutexLock lock(&mutex_);
    return value_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(Mutex, KeepsThreadsApartAndWakesWaiters) {
  constexpr int kThreads = 4;
  constexpr int kAdds = 1000;
  Counter counter;
  std::vector<std::unique_ptr<Thread>> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.push_back(std::make_unique<Thread>("adder", [&counter]() {
      for (int i = 0; i < kAdds; ++i) {
        counter.Add();
      }
    }));
  }
  counter.WaitFor(kThreads * kAdds);
  threads.clear();
  EXPECT_EQ(counter.Read(), kThreads * kAdds);
}

TEST(Mutex, TryLockFailsWhileHeld) {
  Mutex mutex;
  mutex.Lock();
  bool locked = false;
  {
    const Thread other("other", [&mutex, &locked]() {
      if (mutex.TryLock()) {
        locked = true;
        mutex.Unlock();
      }
    });
  }
  EXPECT_FALSE(locked);
  mutex.Unlock();
}

TEST(CondVar, WaitTimesOutAndStillHoldsTheLock) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(&mutex);
  EXPECT_FALSE(never.WaitUntil(&mutex, std::chrono::steady_clock::now()));
  EXPECT_FALSE(never.WaitFor(&mutex, std::chrono::nanoseconds(1)));
}

}  // namespace
}  // namespace sextant
