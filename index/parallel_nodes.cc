// SPDX-License-Identifier: Apache-2.0
#include "index/parallel_nodes.h"

#include <algorithm>
#include <atomic>

#include "base/mutex.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

// Nodes between two polls of the context.
constexpr uint32_t kStep = 64;

class FirstError {
 public:
  bool failed() const { return failed_.load(std::memory_order_relaxed); }

  void Set(const absl::Status& status) {
    const MutexLock lock(&mutex_);
    if (status_.ok()) {
      status_ = status;
    }
    failed_.store(true, std::memory_order_relaxed);
  }

  absl::Status Get() {
    const MutexLock lock(&mutex_);
    return status_;
  }

 private:
  std::atomic<bool> failed_{false};
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

void ForEachStep(ThreadPool* pool, size_t steps,
                 absl::FunctionRef<void(size_t)> fn) {
  if (pool != nullptr) {
    pool->ParallelFor(steps, pool->threads(), fn);
    return;
  }
  for (size_t step = 0; step < steps; ++step) {
    fn(step);
  }
}

absl::Status ForEachNode(const BuildRun& run, uint32_t begin, uint32_t end,
                         absl::FunctionRef<absl::Status(uint32_t)> fn) {
  if (begin >= end) {
    return absl::OkStatus();
  }
  FirstError error;
  const auto run_step = [&](size_t step) {
    if (error.failed()) {
      return;
    }
    const uint32_t first = begin + static_cast<uint32_t>(step) * kStep;
    const uint32_t last = first + std::min(kStep, end - first);
    absl::Status status = run.context.Check();
    for (uint32_t node = first; node < last && status.ok(); ++node) {
      status = fn(node);
    }
    if (!status.ok()) {
      error.Set(status);
    } else if (run.progress != nullptr) {
      run.progress->rows_done.fetch_add(last - first,
                                        std::memory_order_relaxed);
    }
  };
  const size_t steps = (end - begin - 1) / kStep + 1;
  ForEachStep(run.pool, steps, run_step);
  return error.Get();
}

}  // namespace sextant
