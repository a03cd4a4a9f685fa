// SPDX-License-Identifier: Apache-2.0
#include "engine/query_watcher.h"

#include <utility>

namespace sextant {
QueryWatcher::QueryWatcher()
    : next_at_(std::chrono::steady_clock::now() + kEvery),
      thread_({.name = "queries", .threads = 1, .nice = kNiceMax}) {}

QueryWatcher::~QueryWatcher() {
  context_.Cancel();
}

void QueryWatcher::Tick(
    MonotonicTime now,
    std::span<const std::shared_ptr<StoredCollection>> collections) {
  if (now < next_at_ || running_.load(std::memory_order_acquire)) {
    return;
  }
  next_at_ = now + kEvery;
  std::vector<std::shared_ptr<StoredCollection>> sampled;
  for (const std::shared_ptr<StoredCollection>& collection : collections) {
    if (collection->samples_queries()) {
      sampled.push_back(collection);
    }
  }
  if (sampled.empty()) {
    return;
  }
  running_.store(true, std::memory_order_release);
  const bool scheduled =
      thread_.TrySchedule([this, now, sampled = std::move(sampled)]() mutable {
        for (std::shared_ptr<StoredCollection>& collection : sampled) {
          if (context_.Check().ok()) {
            collection->WatchQueries(now, context_);
          }
          collection.reset();  // before the database may think it is alone
        }
        running_.store(false, std::memory_order_release);
      });
  if (!scheduled) {
    running_.store(false, std::memory_order_release);
  }
}

}  // namespace sextant
