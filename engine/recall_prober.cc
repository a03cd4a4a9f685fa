// SPDX-License-Identifier: Apache-2.0
#include "engine/recall_prober.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

namespace sextant {
namespace {

std::chrono::nanoseconds ThreadCpu() {
  timespec time{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) {
    return {};
  }
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

RecallProber::RecallProber(uint32_t cpu_percent)
    : cpu_percent_(std::clamp(cpu_percent, 1U, 100U)),
      thread_({.name = "probe", .threads = 1, .nice = kNiceMax}) {}

RecallProber::~RecallProber() {
  context_.Cancel();
}

void RecallProber::Tick(
    MonotonicTime now,
    std::span<const std::shared_ptr<StoredCollection>> collections) {
  if (running_.load(std::memory_order_acquire) || now < next_at_.load()) {
    return;
  }
  // The turn of the first behind the last one, around the end.
  const auto first = std::ranges::upper_bound(
      collections, last_, {},
      [](const auto& collection) { return collection->name(); });
  const auto begin = static_cast<size_t>(first - collections.begin());
  for (size_t i = 0; i < collections.size(); ++i) {
    const auto& collection = collections[(begin + i) % collections.size()];
    std::optional<SearchQuery> query = collection->TakeProbe();
    if (!query.has_value()) {
      continue;
    }
    last_ = collection->name();
    running_.store(true, std::memory_order_release);
    const bool scheduled =
        thread_.TrySchedule([this, collection = std::shared_ptr(collection),
                             query = *std::move(query)]() mutable {
          const auto start = ThreadCpu();
          collection->RunProbe(query, context_);
          collection.reset();  // before the database may think it is alone
          const auto rest = (ThreadCpu() - start) * 100 / cpu_percent_;
          next_at_ = std::chrono::steady_clock::now() +
                     std::chrono::duration_cast<MonotonicTime::duration>(rest);
          running_.store(false, std::memory_order_release);
        });
    if (!scheduled) {
      running_.store(false, std::memory_order_release);
    }
    return;
  }
}

}  // namespace sextant
