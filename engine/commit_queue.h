// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "base/context.h"
#include "base/mutex.h"
#include "engine/collection.h"
#include "engine/prepared_write.h"

namespace sextant {

// A write on its way through the queue; its caller keeps it.
struct QueuedWrite {
  PreparedWrite write;
  // Filled in by the commit.
  absl::Status status;
  WriteResult result;
  // Positions in write.deletes of what write.deletes_as_of spares, ascending.
  std::vector<size_t> held_back;
};

struct CommitQueueOptions {
  // How long a leader waits for company, once there was some lately.
  uint32_t linger_us = 1000;
  // A group is closed at this size; what a caller brings that is larger goes
  // alone.
  uint64_t group_bytes_max = 256ULL << 10U;
};

// Group commit: concurrent writers queue up, the first of them commits for
// all that are there, the others wait for it. While one group is fsynced the
// next one gathers, so groups grow with the load; an idle queue adds no delay.
//
// Thread-safe.
class CommitQueue {
 public:
  using Commit = absl::FunctionRef<void(std::span<QueuedWrite* const>)>;

  explicit CommitQueue(CommitQueueOptions options) : options_(options) {}

  // Returns when all `writes` were committed, in one group, by this thread or
  // another; groups are committed one at a time, in order. kDeadlineExceeded /
  // kCancelled if the context ended before the group was closed: nothing was
  // written then.
  absl::Status Submit(std::span<QueuedWrite> writes,
                      const RequestContext& context, Commit commit);

 private:
  struct Waiter {
    std::span<QueuedWrite> writes;
    bool taken = false;
    bool done = false;
  };

  absl::Status WaitForTurn(Waiter* waiter, const RequestContext& context)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Waiter*> GatherGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t CountFitting() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CommitQueueOptions options_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Waiter*> queue_ ABSL_GUARDED_BY(mutex_);
  bool leading_ ABSL_GUARDED_BY(mutex_) = false;
  size_t last_group_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace sextant
