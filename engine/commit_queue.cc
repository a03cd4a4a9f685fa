// SPDX-License-Identifier: Apache-2.0
#include "engine/commit_queue.h"

#include <algorithm>
#include <chrono>

#include "base/status_macros.h"

namespace sextant {
namespace {

// How often a waiting writer looks whether its caller has gone.
constexpr std::chrono::milliseconds kCancelPoll{20};

}  // namespace

absl::Status CommitQueue::Submit(std::span<QueuedWrite> writes,
                                 const RequestContext& context, Commit commit) {
  Waiter waiter{writes};
  std::vector<Waiter*> group;
  {
    MutexLock lock(&mutex_);
    queue_.push_back(&waiter);
    changed_.NotifyAll();  // a lingering leader counts its company
    RETURN_IF_ERROR(WaitForTurn(&waiter, context));
    if (waiter.done) {
      return absl::OkStatus();
    }
    group = GatherGroup();
  }
  std::vector<QueuedWrite*> together;
  for (const Waiter* member : group) {
    for (QueuedWrite& write : member->writes) {
      together.push_back(&write);
    }
  }
  commit(together);
  MutexLock lock(&mutex_);
  for (Waiter* member : group) {
    member->done = true;
  }
  last_group_ = group.size();
  leading_ = false;
  changed_.NotifyAll();
  return absl::OkStatus();
}

// Ends when the writes are done, or when its thread is to lead the next group.
absl::Status CommitQueue::WaitForTurn(Waiter* waiter,
                                      const RequestContext& context) {
  while (true) {
    if (waiter->done) {
      return absl::OkStatus();
    }
    if (!waiter->taken) {
      if (absl::Status alive = context.Check(); !alive.ok()) {
        queue_.erase(std::find(queue_.begin(), queue_.end(), waiter));
        changed_.NotifyAll();  // another one may have to lead
        return alive;
      }
      if (!leading_ && queue_.front() == waiter) {
        leading_ = true;
        return absl::OkStatus();
      }
    }
    changed_.WaitFor(&mutex_, kCancelPoll);
  }
}

std::vector<CommitQueue::Waiter*> CommitQueue::GatherGroup() {
  if (last_group_ > 1) {
    const auto until = std::chrono::steady_clock::now() +
                       std::chrono::microseconds(options_.linger_us);
    // Fewer than all that are queued fit: the group is full.
    while (CountFitting() == queue_.size() && queue_.size() < last_group_ &&
           changed_.WaitUntil(&mutex_, until)) {
    }
  }
  std::vector<Waiter*> group;
  for (size_t count = CountFitting(); count > 0; --count) {
    queue_.front()->taken = true;
    group.push_back(queue_.front());
    queue_.pop_front();
  }
  return group;
}

// How many waiters from the front make a group; at least one.
size_t CommitQueue::CountFitting() const {
  uint64_t size = 0;
  size_t count = 0;
  for (const Waiter* waiter : queue_) {
    for (const QueuedWrite& queued : waiter->writes) {
      size += queued.write.size_bytes;
    }
    if (count > 0 && size > options_.group_bytes_max) {
      break;
    }
    ++count;
  }
  return count;
}

}  // namespace sextant
