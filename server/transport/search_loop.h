// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "grpcpp/completion_queue.h"

#include "base/mutex.h"
#include "base/thread.h"

namespace sextant {

// The threads that take events from gRPC's completion queue and run searches,
// without handing either to the other: a thread that took a search from the
// network runs it (docs/adr/0008-completion-queue.md has the numbers).
//
// There is one thread more than searches may run at once. At most one of them
// polls the queue; when it has taken what was there it stops polling and runs
// the search that waits longest. While every search thread is busy nobody
// polls, which is no loss as long as searches are short: none could be
// started. A search that turns out to be long calls KeepPolling(), and the
// thread that is left over takes the network on: it answers health checks,
// refuses what is too much and hands other calls to their pools.
//
// Thread-safe.
class SearchLoop {
 public:
  using Task = absl::AnyInvocable<void()>;
  struct Options {
    size_t threads = 1;    // searches at once, at least 1
    size_t queue_max = 1;  // searches that may wait
  };

  // Takes no events before Start(). `queue` outlives the loop.
  SearchLoop(grpc::CompletionQueue* queue, const Options& options);
  // Stop() came before, unless Start() did not.
  ~SearchLoop();
  SearchLoop(const SearchLoop&) = delete;
  SearchLoop& operator=(const SearchLoop&) = delete;

  void Start();
  // Shuts the queue down, runs what waits, ends the threads. No operation may
  // be started on the queue from now on.
  void Stop();

  // False, and `task` is dropped, when as many as may wait do.
  [[nodiscard]] bool TrySchedule(Task task);

  // From within a task: somebody else shall poll from now on.
  void KeepPolling();

  // From within a task: runs fn(0) ... fn(n - 1), each once, and returns when
  // all are done. Search threads that have nothing to do help; they leave as
  // soon as another search waits.
  void ParallelFor(size_t n, absl::FunctionRef<void(size_t)> fn);

 private:
  void RunThread();
  // Takes events; if `wait`, waits for the first. The caller has set polling_.
  void Poll(bool wait);
  void Run(Task task);

  bool CanRun() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return running_ < options_.threads &&
           !(waiting_.empty() && offers_.empty());
  }
  Task Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End();
  bool SearchWaits() const;

  grpc::CompletionQueue* const queue_;
  const Options options_;

  mutable Mutex mutex_;
  CondVar changed_;  // for threads with nothing to do
  std::deque<Task> waiting_ ABSL_GUARDED_BY(mutex_);
  // Parts of tasks that run, for threads to which no search waits.
  std::deque<Task> offers_ ABSL_GUARDED_BY(mutex_);
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool polling_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;

  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace sextant
