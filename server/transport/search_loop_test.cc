// SPDX-License-Identifier: Apache-2.0
#include "server/transport/search_loop.h"

#include <atomic>
#include <functional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "grpcpp/alarm.h"
#include "gtest/gtest.h"

#include "base/mutex.h"
#include "server/transport/queue_event.h"

namespace sextant {
namespace {

// Opens once.
class Gate {
 public:
  void Open() {
    const MutexLock lock(&mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Wait() {
    const MutexLock lock(&mutex_);
    while (!open_) {
      changed_.Wait(&mutex_);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

// An event that arrives at once, as one from the network would.
class Arrival final : public QueueEvent {
 public:
  Arrival(grpc::CompletionQueue* queue, std::function<void()> happened)
      : happened_(std::move(happened)) {
    alarm_.Set(queue, gpr_now(GPR_CLOCK_MONOTONIC), this);
  }
  void Happened(bool /*ok*/) override {
    happened_();
    delete this;
  }

 private:
  const std::function<void()> happened_;
  grpc::Alarm alarm_;
};

class SearchLoopTest : public testing::Test {
 protected:
  ~SearchLoopTest() override {
    if (loop_ != nullptr) {
      loop_->Stop();
    }
  }

  void Start(size_t threads, size_t queue_max) {
    loop_ = std::make_unique<SearchLoop>(
        &queue_, SearchLoop::Options{threads, queue_max});
    loop_->Start();
  }

  void Arrive(std::function<void()> happened) {
    new Arrival(&queue_, std::move(happened));
  }

  // Answers from the thread that polls.
  void WaitForPoll() {
    Gate polled;
    Arrive([&] { polled.Open(); });
    polled.Wait();
  }

  grpc::CompletionQueue queue_;
  std::unique_ptr<SearchLoop> loop_;
};

TEST_F(SearchLoopTest, RunsWhatArrivesInOrder) {
  Start(1, 99);
  std::vector<int> ran;  // by one thread at a time
  Gate done;
  Arrive([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(loop_->TrySchedule([&, i] {
        ran.push_back(i);
        if (i == 99) {
          done.Open();
        }
      }));
    }
    EXPECT_FALSE(loop_->TrySchedule([] {})) << "one can start, 99 wait";
  });
  done.Wait();
  ASSERT_EQ(ran.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ran[static_cast<size_t>(i)], i);
  }
}

TEST_F(SearchLoopTest, NeverRunsMoreThanItsThreads) {
  constexpr size_t kThreads = 3;
  Start(kThreads, 1000);
  std::atomic<size_t> running{0};
  std::atomic<size_t> most{0};
  std::atomic<int> left{200};
  Gate done;
  for (int i = 0; i < 200; ++i) {
    Arrive([&] {
      EXPECT_TRUE(loop_->TrySchedule([&] {
        const size_t now = ++running;
        size_t seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        --running;
        if (--left == 0) {
          done.Open();
        }
      }));
    });
  }
  done.Wait();
  EXPECT_LE(most.load(), kThreads);
}

// All search threads are at a long search: the network is still looked after,
// and what it brings waits or is refused.
TEST_F(SearchLoopTest, LongSearchesLeaveSomebodyToPoll) {
  for (const size_t threads : {size_t{1}, size_t{2}}) {
    grpc::CompletionQueue queue;
    SearchLoop loop(&queue, {threads, 1});
    loop.Start();
    Gate finish;
    std::atomic<size_t> long_ones{0};
    for (size_t i = 0; i < threads; ++i) {
      Gate started;
      new Arrival(&queue, [&] {
        EXPECT_TRUE(loop.TrySchedule([&] {
          loop.KeepPolling();
          ++long_ones;
          started.Open();
          finish.Wait();
        }));
      });
      started.Wait();
    }
    EXPECT_EQ(long_ones.load(), threads);
    Gate refused;
    std::atomic<bool> ran{false};
    new Arrival(&queue, [&] {
      EXPECT_TRUE(loop.TrySchedule([&] { ran = true; }));
      EXPECT_FALSE(loop.TrySchedule([] {}));
      refused.Open();
    });
    refused.Wait();
    EXPECT_FALSE(ran.load());
    finish.Open();
    loop.Stop();
    EXPECT_TRUE(ran.load()) << "what waits is run before the end";
  }
}

TEST_F(SearchLoopTest, ParallelForRunsEachIndexOnce) {
  for (const size_t threads : {size_t{1}, size_t{2}, size_t{4}}) {
    grpc::CompletionQueue queue;
    SearchLoop loop(&queue, {threads, 10});
    loop.Start();
    constexpr size_t kIndexes = 1000;
    std::vector<std::atomic<int>> runs(kIndexes);
    Gate done;
    new Arrival(&queue, [&] {
      EXPECT_TRUE(loop.TrySchedule([&] {
        loop.ParallelFor(kIndexes, [&](size_t i) { ++runs[i]; });
        loop.ParallelFor(0, [&](size_t i) { ++runs[i]; });
        done.Open();
      }));
    });
    done.Wait();
    loop.Stop();
    for (const std::atomic<int>& count : runs) {
      EXPECT_EQ(count.load(), 1);
    }
  }
}

TEST_F(SearchLoopTest, AFreeThreadHelpsWithABatch) {
  Start(2, 10);
  Gate helped;
  Gate done;
  Arrive([&] {
    EXPECT_TRUE(loop_->TrySchedule([&] {
      // The first index waits for the second, which another thread must run.
      loop_->ParallelFor(2, [&](size_t i) {
        if (i == 0) {
          helped.Wait();
        } else {
          helped.Open();
        }
      });
      done.Open();
    }));
  });
  done.Wait();
}

TEST_F(SearchLoopTest, PollsBetweenSearches) {
  Start(1, 10);
  for (int i = 0; i < 50; ++i) {
    Gate ran;
    Arrive([&] { EXPECT_TRUE(loop_->TrySchedule([&] { ran.Open(); })); });
    ran.Wait();
    WaitForPoll();
  }
}

}  // namespace
}  // namespace sextant
