// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/parallel_loop.h"

namespace sextant {
namespace {

// On Linux niceness belongs to a thread. Lowering one's own priority cannot
// fail for want of rights; if it fails, the thread works all the same.
void LowerThreadPriority(int nice) {
  if (nice > 0) {
    static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()),
                                  getpriority(PRIO_PROCESS, 0) + nice));
  }
}

}  // namespace

ThreadPool::ThreadPool(const ThreadPoolOptions& options)
    : queue_max_(options.queue_max) {
  CHECK_GE(options.threads, 1) << "a pool needs a thread";
  threads_.reserve(static_cast<size_t>(options.threads));
  for (int i = 0; i < options.threads; ++i) {
    threads_.push_back(std::make_unique<Thread>(
        absl::StrCat(options.name, "-", i), [this, nice = options.nice]() {
          LowerThreadPriority(nice);
          RunThread();
        }));
  }
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  work_or_stop_.NotifyAll();
  threads_.clear();
}

bool ThreadPool::TrySchedule(Task task) {
  {
    MutexLock lock(&mutex_);
    const bool full = queue_max_ > 0 && queue_.size() >= queue_max_;
    if (stopping_ || full) {
      return false;
    }
    queue_.push_back(std::move(task));
  }
  work_or_stop_.NotifyOne();
  return true;
}

void ThreadPool::ParallelFor(size_t n, int max_threads,
                             absl::FunctionRef<void(size_t)> fn) {
  if (n == 0) {
    return;
  }
  const size_t usable = std::min(
      {n, static_cast<size_t>(std::max(max_threads, 1)), threads_.size() + 1});
  if (usable == 1) {
    for (size_t i = 0; i < n; ++i) {
      fn(i);
    }
    return;
  }
  const auto loop = std::make_shared<ParallelLoop>(n, fn);
  for (size_t helper = 1; helper < usable; ++helper) {
    if (!TrySchedule([loop]() { loop->Work(); })) {
      break;  // Full queue: fewer threads, same result.
    }
  }
  loop->Work();
  loop->WaitForAll();
}

size_t ThreadPool::queued() const {
  MutexLock lock(&mutex_);
  return queue_.size();
}

void ThreadPool::RunThread() {
  while (true) {
    Task task;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) {
        work_or_stop_.Wait(&mutex_);
      }
      if (queue_.empty()) {
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    std::move(task)();
  }
}

}  // namespace sextant
