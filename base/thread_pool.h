// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"

#include "base/mutex.h"
#include "base/thread.h"

namespace sextant {

// Threads of this niceness run when nothing else wants their core.
inline constexpr int kNiceMax = 19;

struct ThreadPoolOptions {
  // Prefix of the thread names: "search" gives search-0, search-1, ...
  std::string name = "pool";
  // At least 1.
  int threads = 1;
  // Added to the threads' niceness (0 to kNiceMax), so that background work
  // gives way to requests.
  int nice = 0;
  // Tasks that may wait. More make TrySchedule refuse; 0 means no limit.
  size_t queue_max = 0;
};

// A fixed set of threads that runs tasks in the order they came. Thread-safe.
// The destructor runs what is queued, then joins; from then on TrySchedule
// refuses, which only tasks still running can see.
class ThreadPool {
 public:
  using Task = absl::AnyInvocable<void()>;

  explicit ThreadPool(const ThreadPoolOptions& options);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False, and `task` is dropped, when the queue is full or the pool is ending.
  [[nodiscard]] bool TrySchedule(Task task);

  // Runs fn(0) ... fn(n - 1), each once, on up to `max_threads` threads, one of
  // them the caller's, and returns when all are done. Safe inside a task: if no
  // thread is free, the caller does all the work.
  void ParallelFor(size_t n, int max_threads,
                   absl::FunctionRef<void(size_t)> fn);

  int threads() const { return static_cast<int>(threads_.size()); }

  // Tasks that wait now, for metrics.
  size_t queued() const;

 private:
  void RunThread();

  const size_t queue_max_;

  mutable Mutex mutex_;
  CondVar work_or_stop_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // Constant after construction; last, so threads see the members above.
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace sextant
