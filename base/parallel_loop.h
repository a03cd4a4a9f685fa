// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"

#include "base/mutex.h"

namespace sextant {

// Indexes 0 to n - 1 that several threads share out among themselves: each
// index is worked on once. The caller works, then waits; who helps may come
// late or leave early.
//
// Thread-safe. Helpers share the ownership of this, because one may come after
// the caller is done; it touches `fn` only after it claimed an index that the
// caller still waits for.
class ParallelLoop {
 public:
  // `fn` outlives WaitForAll().
  ParallelLoop(size_t n, absl::FunctionRef<void(size_t)> fn) : n_(n), fn_(fn) {}

  // Runs indexes until none is left to claim, or until `go_on`, asked before
  // each, says no.
  void WorkWhile(absl::FunctionRef<bool()> go_on) {
    size_t done = 0;
    while (go_on()) {
      const size_t i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= n_) {
        break;
      }
      fn_(i);
      ++done;
    }
    if (done > 0) {
      MutexLock lock(&mutex_);
      done_ += done;
      if (done_ == n_) {
        all_done_.NotifyAll();
      }
    }
  }
  void Work() {
    WorkWhile([] { return true; });
  }

  // Only after the caller's own Work(): then every index is claimed.
  void WaitForAll() {
    MutexLock lock(&mutex_);
    while (done_ < n_) {
      all_done_.Wait(&mutex_);
    }
  }

 private:
  const size_t n_;
  const absl::FunctionRef<void(size_t)> fn_;
  std::atomic<size_t> next_{0};
  Mutex mutex_;
  CondVar all_done_;
  size_t done_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sextant
