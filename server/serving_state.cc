// SPDX-License-Identifier: Apache-2.0
#include "server/serving_state.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "server/status_mapping.h"

namespace sextant {
namespace {

constexpr uint32_t kRetryDelayMs = 1000;

}  // namespace

void ServingState::SetLoadProgress(size_t done, size_t total,
                                   absl::string_view name) {
  std::string progress = absl::StrCat(": ", done, " of ", total, " collections",
                                      name.empty() ? "" : ", now '", name,
                                      name.empty() ? "" : "'");
  const MutexLock lock(&mutex_);
  progress_ = std::move(progress);
}

void ServingState::StartServing(Database* database) {
  database_.store(database, std::memory_order_release);
  Enter(Phase::kServing);
}

void ServingState::StartDraining() {
  Enter(Phase::kDraining);
}

absl::StatusOr<Database*> ServingState::database() const {
  if (phase() == Phase::kServing) {
    return loaded_database();
  }
  return RetryAfter(
      absl::UnavailableError(absl::StrCat("the server is ", Describe())),
      kRetryDelayMs);
}

std::string ServingState::Describe() const {
  switch (phase()) {
    case Phase::kServing:
      return "serving";
    case Phase::kDraining:
      return "stopping";
    case Phase::kLoading:
      break;
  }
  const MutexLock lock(&mutex_);
  return absl::StrCat("loading", progress_);
}

void ServingState::OnChange(std::function<void(Phase)> listener) {
  listeners_.push_back(std::move(listener));
}

void ServingState::Enter(Phase phase) {
  phase_.store(phase, std::memory_order_release);
  for (const auto& listener : listeners_) {
    listener(phase);
  }
}

}  // namespace sextant
