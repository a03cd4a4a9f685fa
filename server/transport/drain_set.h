// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "base/mutex.h"

namespace sextant {

// The open streams of one kind. It owns them until they say that they are
// done, and can tell all of them something (drain, new state).
//
// Thread-safe. Nothing is called while the lock is held, because what a stream
// does may end it, on the same thread.
template <typename Stream>
class DrainSet {
 public:
  void Add(std::shared_ptr<Stream> stream) {
    const MutexLock lock(&mutex_);
    streams_.insert(std::move(stream));
  }

  // The stream may be destroyed by this.
  void Remove(Stream* stream) {
    std::shared_ptr<Stream> removed;
    const MutexLock lock(&mutex_);
    for (auto it = streams_.begin(); it != streams_.end(); ++it) {
      if (it->get() == stream) {
        removed = *it;
        streams_.erase(it);
        return;
      }
    }
  }

  std::vector<std::shared_ptr<Stream>> All() const {
    const MutexLock lock(&mutex_);
    return {streams_.begin(), streams_.end()};
  }

 private:
  mutable Mutex mutex_;
  std::set<std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
