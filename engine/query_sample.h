// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "base/mutex.h"

namespace sextant {

// A uniform sample of the query vectors of one field, of bounded size, and some
// of the newest. Off until a capacity is set.
//
// Reservoir sampling that knows ahead which vector it takes next (Algorithm L:
// Li, "Reservoir-Sampling Algorithms of Time Complexity O(n(1 + log(N/n)))",
// ACM TOMS 1994): all others pass by one atomic counter. A vector that is to be
// taken while somebody else holds the lock is let go: searches never wait here.
//
// Owned by its collection. Thread-safe.
class QuerySample {
 public:
  // Newest vectors that are kept, and of how many searches one is.
  static constexpr size_t kRecent = 256;
  static constexpr uint64_t kRecentEvery = 16;

  explicit QuerySample(uint32_t dimension) : dimension_(dimension) {}

  // Whether the next vector may be wanted; if so, call Take() with it. One
  // relaxed read while it is off, one counter more while it is on.
  bool Wants() {
    if (!is_on_.load(std::memory_order_relaxed)) {
      return false;
    }
    const uint64_t number = seen_.fetch_add(1, std::memory_order_relaxed) + 1;
    return number >= next_.load(std::memory_order_relaxed) ||
           number % kRecentEvery == 0 || number <= kRecent;
  }
  void Take(std::vector<float> vector);

  struct Content {
    uint32_t capacity = 0;  // 0: off
    uint64_t seed = 0;
    uint64_t seen = 0;
    std::vector<float> kept;    // row by row
    std::vector<float> recent;  // in no order
    uint64_t changes = 0;       // rises with every one
  };
  Content Read() const;
  std::vector<float> recent() const;
  // Without the vectors.
  struct Summary {
    uint32_t capacity = 0;
    uint64_t seed = 0;
    uint64_t seen = 0;
    uint64_t kept = 0;
  };
  Summary summary() const;
  uint64_t changes() const;

  // Starts anew with this capacity and seed; 0 turns it off and forgets all.
  void Start(uint32_t capacity, uint64_t seed);
  // As Read() had it: `kept` and `seen` go on, in another random order.
  void Restore(Content content);

 private:
  uint64_t SkippedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SkipLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  double UniformLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t dimension_;
  std::atomic<bool> is_on_{false};
  std::atomic<uint64_t> seen_{0};
  // Number, from 1, of the next vector for the sample.
  std::atomic<uint64_t> next_{1};

  mutable Mutex mutex_;
  Content content_ ABSL_GUARDED_BY(mutex_);
  size_t recent_at_ ABSL_GUARDED_BY(mutex_) = 0;
  double weight_ ABSL_GUARDED_BY(mutex_) = 1;  // W of the algorithm
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
