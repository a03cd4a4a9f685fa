// SPDX-License-Identifier: Apache-2.0
#include "engine/commit_queue.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/mutex.h"
#include "base/status_matchers.h"
#include "base/thread.h"
#include "engine/engine_fixture.h"

namespace sextant {
namespace {

using Group = std::vector<QueuedWrite*>;

// A gate that a commit waits at until the test opens it.
class Gate {
 public:
  void Open() {
    MutexLock lock(&mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Pass() {
    MutexLock lock(&mutex_);
    reached_ = true;
    changed_.NotifyAll();
    while (!open_) {
      changed_.Wait(&mutex_);
    }
  }
  void WaitUntilReached() {
    MutexLock lock(&mutex_);
    while (!reached_) {
      changed_.Wait(&mutex_);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool reached_ ABSL_GUARDED_BY(mutex_) = false;
};

// A write whose caller knows when it stands in the queue: the queue asks the
// context of each write once it has taken it in.
class Writer {
 public:
  Writer(CommitQueue* queue, size_t size_bytes,
         std::function<void(std::span<QueuedWrite* const>)> commit)
      : commit_(std::move(commit)) {
    write_.write.size_bytes = size_bytes;
    RequestContextOptions options;
    options.is_cancelled = [this] {
      queued_ = true;
      return cancel_.load();
    };
    context_ = std::make_unique<RequestContext>(std::move(options));
    thread_ = std::make_unique<Thread>("writer", [this, queue] {
      status_ = queue->Submit(
          {&write_, 1}, *context_,
          [this](std::span<QueuedWrite* const> group) { commit_(group); });
    });
  }

  void WaitUntilQueued() const {
    while (!queued_) {
      std::this_thread::yield();
    }
  }
  void Cancel() { cancel_ = true; }
  absl::Status Join() {
    thread_.reset();
    return status_;
  }
  QueuedWrite* write() { return &write_; }

 private:
  const std::function<void(std::span<QueuedWrite* const>)> commit_;
  QueuedWrite write_;
  std::atomic<bool> queued_{false};
  std::atomic<bool> cancel_{false};
  std::unique_ptr<RequestContext> context_;
  absl::Status status_;
  std::unique_ptr<Thread> thread_;
};

// Holds the first group at a gate, so that the next one gathers behind it.
class CommitQueueTest : public ::testing::Test {
 protected:
  void Block(CommitQueueOptions options) {
    queue_ = std::make_unique<CommitQueue>(options);
    Add(1);
    gate_.WaitUntilReached();
  }
  Writer& Add(size_t size_bytes) {
    writers_.push_back(std::make_unique<Writer>(
        queue_.get(), size_bytes,
        [this](std::span<QueuedWrite* const> group) { Commit(group); }));
    writers_.back()->WaitUntilQueued();
    return *writers_.back();
  }
  // The groups after the blocked one, as positions of their writers.
  std::vector<std::vector<size_t>> Finish() {
    gate_.Open();
    for (const auto& writer : writers_) {
      writer->Join().IgnoreError();
    }
    std::vector<std::vector<size_t>> groups;
    for (size_t i = 1; i < groups_.size(); ++i) {
      std::vector<size_t>& group = groups.emplace_back();
      for (const QueuedWrite* write : groups_[i]) {
        for (size_t w = 0; w < writers_.size(); ++w) {
          if (writers_[w]->write() == write) {
            group.push_back(w);
          }
        }
      }
    }
    return groups;
  }

  std::unique_ptr<CommitQueue> queue_;
  std::vector<std::unique_ptr<Writer>> writers_;

 private:
  void Commit(std::span<QueuedWrite* const> group) {
    groups_.emplace_back(group.begin(), group.end());  // one at a time
    gate_.Pass();
  }

  Gate gate_;
  std::vector<Group> groups_;
};

TEST_F(CommitQueueTest, GathersBehindARunningCommitInOrder) {
  Block({});
  for (int i = 0; i < 5; ++i) {
    Add(10);
  }
  EXPECT_EQ(Finish(), (std::vector<std::vector<size_t>>{{1, 2, 3, 4, 5}}));
}

TEST_F(CommitQueueTest, GroupsAreBoundedInBytes) {
  Block({.linger_us = 0, .group_bytes_max = 100});
  for (const size_t size : {60U, 40U, 1U, 99U, 5000U, 50U, 60U}) {
    Add(size);
  }
  EXPECT_EQ(Finish(),
            (std::vector<std::vector<size_t>>{{1, 2}, {3, 4}, {5}, {6}, {7}}));
}

TEST_F(CommitQueueTest, ACancelledWriteLeavesTheQueue) {
  Block({});
  Add(10);
  Writer& gone = Add(10);
  Add(10);
  gone.Cancel();
  EXPECT_THAT(gone.Join(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Finish(), (std::vector<std::vector<size_t>>{{1, 3}}));
}

TEST_F(CommitQueueTest, ADeadlineEndsTheWait) {
  Block({});
  QueuedWrite late;
  RequestContextOptions options;
  options.deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  const RequestContext context(std::move(options));
  EXPECT_THAT(queue_->Submit({&late, 1}, context,
                             [](std::span<QueuedWrite* const>) {
                               ADD_FAILURE() << "committed too late";
                             }),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(Finish().empty());
}

// Whoever would have led the next group goes; another one must.
TEST_F(CommitQueueTest, TheNextInLineLeadsWhenTheFirstGoes) {
  Block({});
  Writer& first = Add(10);
  Add(10);
  first.Cancel();
  EXPECT_THAT(first.Join(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Finish(), (std::vector<std::vector<size_t>>{{2}}));
}

// With a linger of a minute any wait would run into the test's time limit.
TEST(CommitQueueAloneTest, AnIdleQueueAddsNoDelay) {
  CommitQueue queue({.linger_us = 60'000'000});
  for (int i = 0; i < 1000; ++i) {
    QueuedWrite write;
    size_t groups = 0;
    ASSERT_OK(queue.Submit({&write, 1}, test::Unlimited(),
                           [&](std::span<QueuedWrite* const> group) {
                             EXPECT_EQ(group.size(), 1U);
                             ++groups;
                           }));
    EXPECT_EQ(groups, 1U);
  }
}

TEST(CommitQueueAloneTest, WhatACallerBringsIsOneGroupHoweverLarge) {
  CommitQueue queue({.group_bytes_max = 100});
  std::vector<QueuedWrite> writes(3);
  for (QueuedWrite& write : writes) {
    write.write.size_bytes = 80;
  }
  std::vector<QueuedWrite*> committed;
  ASSERT_OK(queue.Submit(writes, test::Unlimited(),
                         [&](std::span<QueuedWrite* const> group) {
                           committed.assign(group.begin(), group.end());
                         }));
  EXPECT_THAT(committed,
              ::testing::ElementsAre(&writes[0], &writes[1], &writes[2]));
}

TEST(CommitQueueAloneTest, EndsWithAnEndedContext) {
  CommitQueue queue({});
  RequestContext cancelled;
  cancelled.Cancel();
  QueuedWrite write;
  EXPECT_THAT(queue.Submit({&write, 1}, cancelled,
                           [](std::span<QueuedWrite* const>) { FAIL(); }),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST(CommitQueueAloneTest, EachWriteIsCommittedOnceByOneThreadAtATime) {
  constexpr int kThreads = 8;
  constexpr int kWrites = 300;
  CommitQueue queue({.linger_us = 100});
  std::atomic<int> committing{0};
  uint64_t committed = 0;  // guarded by the queue's promise, which TSan checks
  size_t largest = 0;
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.push_back(std::make_unique<Thread>("writer", [&] {
        for (int i = 0; i < kWrites; ++i) {
          QueuedWrite write;
          EXPECT_OK(queue.Submit({&write, 1}, test::Unlimited(),
                                 [&](std::span<QueuedWrite* const> group) {
                                   EXPECT_EQ(committing.fetch_add(1), 0);
                                   largest = std::max(largest, group.size());
                                   // Long enough for others to come: the next
                                   // group is theirs.
                                   for (int spin = 0; spin < 20; ++spin) {
                                     std::this_thread::yield();
                                   }
                                   for (QueuedWrite* member : group) {
                                     member->result.applied_seq = ++committed;
                                   }
                                   committing.fetch_sub(1);
                                 }));
          EXPECT_GT(write.result.applied_seq, 0U);
        }
      }));
    }
  }
  EXPECT_EQ(committed, uint64_t{kThreads} * kWrites);
  EXPECT_GT(largest, 1U) << "no group formed";
  EXPECT_LE(largest, size_t{kThreads});
}

}  // namespace
}  // namespace sextant
