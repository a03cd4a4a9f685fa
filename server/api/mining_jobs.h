// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "engine/mining_job.h"

namespace sextant {

// Minings that nobody runs at the moment, so that a stream which broke can be
// taken up again. They are kept for ten minutes, a few at a time, the newest;
// the others are made anew by who asks for them.
//
// Owned by the HubnessApi. Thread-safe.
class MiningJobs {
 public:
  struct Entry {
    uint64_t number = 0;  // never 0
    std::unique_ptr<MiningJob> job;
  };

  MiningJobs();
  ~MiningJobs();
  MiningJobs(const MiningJobs&) = delete;
  MiningJobs& operator=(const MiningJobs&) = delete;

  // A number for a new job, which runs from now on.
  uint64_t Begin();
  // One that was kept, to run it; null when it is gone. kUnavailable, to be
  // tried again, while another stream runs it.
  absl::StatusOr<std::unique_ptr<Entry>> Resume(uint64_t number);
  // It does not run any more. An entry without a job is forgotten.
  void Keep(Entry entry);
  // Forgets all of them, whatever comes later too: collections are closed.
  void Close();

 private:
  struct Kept {
    Entry entry;
    MonotonicTime since;
  };

  void DropOld();
  // Takes those out that are too many or too old.
  std::list<Kept> TakeOld(MonotonicTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  CondVar changed_;
  const uint64_t first_number_;
  uint64_t next_number_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> running_ ABSL_GUARDED_BY(mutex_);
  std::list<Kept> kept_ ABSL_GUARDED_BY(mutex_);  // oldest first
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Thread> dropper_;
};

}  // namespace sextant
