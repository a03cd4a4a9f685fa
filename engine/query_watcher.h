// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/thread_pool.h"
#include "engine/stored_collection.h"

namespace sextant {

// Now and then stores the sampled queries of all collections and compares them
// with the banks, on a thread of the lowest priority.
//
// Owned by the database; Tick() and the end by one thread each. The end cancels
// what is at work.
class QueryWatcher {
 public:
  static constexpr std::chrono::minutes kEvery{1};

  QueryWatcher();
  ~QueryWatcher();

  // Starts a round if its time has come; returns at once.
  void Tick(MonotonicTime now,
            std::span<const std::shared_ptr<StoredCollection>> collections);

 private:
  RequestContext context_;
  MonotonicTime next_at_;
  std::atomic<bool> running_{false};

  // Last: its thread uses everything above.
  ThreadPool thread_;
};

}  // namespace sextant
