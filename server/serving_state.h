// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"
#include "engine/database.h"

namespace sextant {

// Where the server stands in its life: loading, then serving, then draining.
// One for a process, made before any listener; every request asks it for the
// database. Thread-safe.
class ServingState {
 public:
  enum class Phase { kLoading, kServing, kDraining };

  ServingState() = default;
  ServingState(const ServingState&) = delete;
  ServingState& operator=(const ServingState&) = delete;

  // For the reason that /readyz and refused calls give.
  void SetLoadProgress(size_t done, size_t total, absl::string_view name);
  // `database` outlives all requests.
  void StartServing(Database* database);
  void StartDraining();

  Phase phase() const { return phase_.load(std::memory_order_acquire); }
  // The database to work with; kUnavailable, with the advice to retry, while
  // loading and draining.
  absl::StatusOr<Database*> database() const;
  // The database as soon as it is loaded, in whatever phase; else null.
  Database* loaded_database() const {
    return database_.load(std::memory_order_acquire);
  }
  // "serving", "loading: 3 of 10 collections, now 'docs'", "stopping".
  std::string Describe() const;

  // Called after each change of phase, in the thread that changed it. Only
  // before the first change.
  void OnChange(std::function<void(Phase)> listener);

 private:
  void Enter(Phase phase);

  std::atomic<Phase> phase_{Phase::kLoading};
  std::atomic<Database*> database_{nullptr};
  std::vector<std::function<void(Phase)>> listeners_;

  mutable Mutex mutex_;
  std::string progress_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
