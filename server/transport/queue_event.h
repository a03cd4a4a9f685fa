// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/base/thread_annotations.h"

#include "base/mutex.h"

namespace sextant {

// What gRPC's completion queue gives back when an operation has ended: every
// tag is the address of one.
class QueueEvent {
 public:
  // By whichever thread took it from the queue. `ok` false: the operation was
  // not carried out. May destroy the event.
  virtual void Happened(bool ok) = 0;

 protected:
  ~QueueEvent() = default;
};

// The event that calls one member function of its owner.
template <typename Owner, void (Owner::*handler)(bool ok)>
class MemberEvent final : public QueueEvent {
 public:
  explicit MemberEvent(Owner* owner) : owner_(owner) {}
  void Happened(bool ok) override { (owner_->*handler)(ok); }

 private:
  Owner* const owner_;
};

// Counts who may still start operations on the queue, which must not be shut
// down before. Thread-safe.
class QueueUsers {
 public:
  void Enter() {
    const MutexLock lock(&mutex_);
    ++count_;
  }
  void Leave() {
    const MutexLock lock(&mutex_);
    if (--count_ == 0) {
      none_.NotifyAll();
    }
  }
  void WaitForNone() {
    const MutexLock lock(&mutex_);
    while (count_ > 0) {
      none_.Wait(&mutex_);
    }
  }

 private:
  Mutex mutex_;
  CondVar none_;
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sextant
