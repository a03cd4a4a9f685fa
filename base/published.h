// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"

#include "base/mutex.h"

namespace sextant {

// The current version of an immutable value. Any thread may Load() at any time
// and keeps that version alive as long as it holds the pointer; a writer
// replaces the whole value with Store(). Two writers need a lock of their own
// so that neither overwrites what the other just published.
//
// Not std::atomic<std::shared_ptr>: gcc 12's load() unlocks without release
// order, a race that ThreadSanitizer reports (docs/adr/0002-own-mutex.md). The
// lock here covers one pointer copy, as the one inside std::atomic does.
template <typename T>
class Published {
 public:
  Published() = default;
  explicit Published(std::shared_ptr<const T> value)
      : value_(std::move(value)) {}
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // Null until the first Store, unless constructed with a value.
  std::shared_ptr<const T> Load() const {
    MutexLock lock(&mutex_);
    return value_;
  }

  void Store(std::shared_ptr<const T> value) {
    MutexLock lock(&mutex_);
    value_.swap(value);
    // The old version, if this was its last owner, is destroyed with `value`
    // by the caller, after the lock is released.
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> value_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
