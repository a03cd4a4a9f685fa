// SPDX-License-Identifier: Apache-2.0
#include "engine/query_sample.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sextant {

// Above 0, below 1, the same for the same seed on every machine.
double QuerySample::UniformLocked() {
  return (static_cast<double>(random_() >> 12U) + 0.5) * 0x1p-52;
}

// How many vectors a full sample leaves out before the next one.
uint64_t QuerySample::SkippedLocked() {
  const double skipped =
      std::floor(std::log(UniformLocked()) / std::log1p(-weight_));
  // Far beyond what will ever be seen when the weight is 0 within rounding.
  constexpr double kMost = 1e18;
  return static_cast<uint64_t>(std::min(skipped, kMost));
}

// Sets next_ for a full sample.
void QuerySample::SkipLocked() {
  weight_ *= std::exp(std::log(UniformLocked()) /
                      static_cast<double>(content_.capacity));
  next_.store(next_.load(std::memory_order_relaxed) + 1 + SkippedLocked(),
              std::memory_order_relaxed);
}

void QuerySample::Take(std::vector<float> vector) {
  if (vector.size() != dimension_) {
    return;
  }
  if (!mutex_.TryLock()) {
    return;
  }
  const auto write = [&vector, this](std::vector<float>* rows, size_t at) {
    const size_t first = at * dimension_;
    if (rows->size() < first + dimension_) {
      rows->resize(first + dimension_);
    }
    std::copy(vector.begin(), vector.end(),
              rows->begin() + static_cast<std::ptrdiff_t>(first));
  };
  if (content_.capacity > 0) {
    ++content_.changes;
    write(&content_.recent, recent_at_++ % kRecent);
    const size_t kept = content_.kept.size() / dimension_;
    if (kept < content_.capacity) {
      write(&content_.kept, kept);
      next_.store(next_.load(std::memory_order_relaxed) + 1,
                  std::memory_order_relaxed);
      if (kept + 1 == content_.capacity) {
        SkipLocked();
      }
    } else if (seen_.load(std::memory_order_relaxed) >=
               next_.load(std::memory_order_relaxed)) {
      write(&content_.kept, random_() % content_.capacity);
      SkipLocked();
    }
  }
  mutex_.Unlock();
}

QuerySample::Content QuerySample::Read() const {
  const MutexLock lock(&mutex_);
  Content content = content_;
  content.seen = seen_.load(std::memory_order_relaxed);
  return content;
}

std::vector<float> QuerySample::recent() const {
  const MutexLock lock(&mutex_);
  return content_.recent;
}

QuerySample::Summary QuerySample::summary() const {
  const MutexLock lock(&mutex_);
  return {content_.capacity, content_.seed,
          seen_.load(std::memory_order_relaxed),
          content_.kept.size() / dimension_};
}

uint64_t QuerySample::changes() const {
  const MutexLock lock(&mutex_);
  return content_.changes;
}

void QuerySample::Start(uint32_t capacity, uint64_t seed) {
  Content content;
  content.capacity = capacity;
  content.seed = seed;
  Restore(std::move(content));
}

void QuerySample::Restore(Content content) {
  const MutexLock lock(&mutex_);
  const uint64_t changes = content_.changes;
  content_ = std::move(content);
  content_.changes = changes + 1;
  recent_at_ = content_.recent.size() / dimension_;
  random_.seed(content_.seed + content_.seen);
  seen_.store(content_.seen, std::memory_order_relaxed);
  next_.store(content_.seen + 1, std::memory_order_relaxed);
  const size_t kept = content_.kept.size() / dimension_;
  if (content_.capacity > 0 && kept >= content_.capacity) {
    // The greatest of `capacity` of `seen` random keys: what W is distributed
    // as, in the middle.
    weight_ = static_cast<double>(content_.capacity) /
              static_cast<double>(std::max<uint64_t>(content_.seen, kept));
    weight_ = std::min(weight_, 1 - 0x1p-52);
    next_.store(content_.seen + 1 + SkippedLocked(), std::memory_order_relaxed);
  } else {
    weight_ = 1;
  }
  is_on_.store(content_.capacity > 0, std::memory_order_relaxed);
}

}  // namespace sextant
