// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/context.h"
#include "base/thread_pool.h"
#include "engine/stored_collection.h"

namespace sextant {

// Repeats sampled searches of all collections, one after another, on a thread
// of the lowest priority, and rests between two of them so that it takes no
// more than a share of one core.
//
// Owned by the database; Tick() and the end by one thread each. The end cancels
// a probe at work.
class RecallProber {
 public:
  // `cpu_percent` of one core, 1 to 100.
  explicit RecallProber(uint32_t cpu_percent);
  ~RecallProber();

  // Starts the next probe if its time has come and there is one; returns at
  // once. Collections take turns. `collections` by ascending name.
  void Tick(MonotonicTime now,
            std::span<const std::shared_ptr<StoredCollection>> collections);

 private:
  const uint32_t cpu_percent_;
  RequestContext context_;
  std::string last_;  // the collection that had its turn
  std::atomic<bool> running_{false};
  std::atomic<MonotonicTime> next_at_{MonotonicTime()};

  // Last: its thread uses everything above.
  ThreadPool thread_;
};

}  // namespace sextant
