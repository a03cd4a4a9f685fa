// SPDX-License-Identifier: Apache-2.0
#include "server/transport/search_loop.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/support/time.h"

#include "base/check.h"
#include "base/parallel_loop.h"
#include "server/transport/queue_event.h"

namespace sextant {
namespace {

// Events taken before a search gets its turn.
constexpr int kEventsAtOnce = 64;

}  // namespace

SearchLoop::SearchLoop(grpc::CompletionQueue* queue, const Options& options)
    : queue_(queue), options_(options) {
  CHECK_GE(options.threads, 1U) << "a loop needs a thread";
}

SearchLoop::~SearchLoop() = default;

void SearchLoop::Start() {
  // One more than searches, to poll when all of them are long.
  for (size_t i = 0; i <= options_.threads; ++i) {
    threads_.push_back(std::make_unique<Thread>(absl::StrCat("search-", i),
                                                [this] { RunThread(); }));
  }
}

void SearchLoop::Stop() {
  queue_->Shutdown();
  threads_.clear();
}

bool SearchLoop::TrySchedule(Task task) {
  const MutexLock lock(&mutex_);
  // Those that can be started at once do not wait.
  const size_t free = options_.threads - running_;
  if (waiting_.size() >= options_.queue_max + free) {
    return false;
  }
  // Nobody is woken: the thread that handles the event looks next.
  waiting_.push_back(std::move(task));
  return true;
}

void SearchLoop::KeepPolling() {
  const MutexLock lock(&mutex_);
  if (!polling_) {
    changed_.NotifyOne();
  }
}

void SearchLoop::ParallelFor(size_t n, absl::FunctionRef<void(size_t)> fn) {
  const auto loop = std::make_shared<ParallelLoop>(n, fn);
  {
    const MutexLock lock(&mutex_);
    const size_t free = options_.threads - running_;
    for (size_t i = 0; i < free && i + 1 < n; ++i) {
      offers_.emplace_back(
          [this, loop] { loop->WorkWhile([this] { return !SearchWaits(); }); });
      changed_.NotifyOne();
    }
  }
  loop->Work();
  loop->WaitForAll();
}

bool SearchLoop::SearchWaits() const {
  const MutexLock lock(&mutex_);
  return !waiting_.empty();
}

SearchLoop::Task SearchLoop::Take() {
  std::deque<Task>& tasks = waiting_.empty() ? offers_ : waiting_;
  Task task = std::move(tasks.front());
  tasks.pop_front();
  ++running_;
  if (!polling_ && running_ < options_.threads) {
    // Another search could be started, so somebody should look for it.
    changed_.NotifyOne();
  }
  return task;
}

void SearchLoop::RunThread() {
  bool has_polled = false;
  for (;;) {
    Task task;
    bool wait = false;
    {
      const MutexLock lock(&mutex_);
      while (polling_ && !CanRun() && !ended_) {
        changed_.Wait(&mutex_);
      }
      if (CanRun() && (polling_ || has_polled || ended_)) {
        task = Take();
      } else if (ended_) {
        return;
      } else {
        polling_ = true;
        wait = !CanRun();
      }
    }
    has_polled = task == nullptr;
    if (has_polled) {
      Poll(wait);
    } else {
      Run(std::move(task));
    }
  }
}

void SearchLoop::Poll(bool wait) {
  void* tag = nullptr;
  bool ok = false;
  for (int taken = 0; taken < kEventsAtOnce; ++taken) {
    const gpr_timespec until = wait ? gpr_inf_future(GPR_CLOCK_MONOTONIC)
                                    : gpr_inf_past(GPR_CLOCK_MONOTONIC);
    const auto next = queue_->AsyncNext(&tag, &ok, until);
    if (next == grpc::CompletionQueue::SHUTDOWN) {
      End();
      return;
    }
    if (next == grpc::CompletionQueue::TIMEOUT) {
      break;
    }
    static_cast<QueueEvent*>(tag)->Happened(ok);
    wait = false;
  }
  const MutexLock lock(&mutex_);
  polling_ = false;
}

void SearchLoop::Run(Task task) {
  void* tag = nullptr;
  bool ok = false;
  // The end of the answer's sending is most often the next event; this way it
  // does not pass through the queue and wakes nobody.
  const auto next = queue_->DoThenAsyncNext(
      [&] {
        std::move(task)();
        task = nullptr;
        const MutexLock lock(&mutex_);
        --running_;
      },
      &tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
  if (next == grpc::CompletionQueue::GOT_EVENT) {
    static_cast<QueueEvent*>(tag)->Happened(ok);
  } else if (next == grpc::CompletionQueue::SHUTDOWN) {
    End();
  }
}

void SearchLoop::End() {
  const MutexLock lock(&mutex_);
  polling_ = false;
  ended_ = true;
  changed_.NotifyAll();
}

}  // namespace sextant
