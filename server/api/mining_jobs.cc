// SPDX-License-Identifier: Apache-2.0
#include "server/api/mining_jobs.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "server/status_mapping.h"

namespace sextant {
namespace {

constexpr std::chrono::minutes kKeptFor(10);
constexpr size_t kKeptMax = 4;
constexpr uint64_t kKeptBytesMax = uint64_t{1} << 30U;
constexpr uint32_t kStillRunsRetryMs = 500;

MonotonicTime Now() {
  return RealClock::Get()->MonotonicNow();
}

// Numbers of an earlier process mean nothing here.
uint64_t RandomStart() {
  std::random_device device;
  return (uint64_t{device()} << 32U | device()) | 1U;
}

}  // namespace

MiningJobs::MiningJobs()
    : first_number_(RandomStart()),
      next_number_(first_number_),
      dropper_(std::make_unique<Thread>("mining-drop", [this] { DropOld(); })) {
}

MiningJobs::~MiningJobs() {
  Close();
  dropper_.reset();
}

uint64_t MiningJobs::Begin() {
  MutexLock lock(&mutex_);
  const uint64_t number = next_number_;
  next_number_ += 2;  // odd, so never 0
  running_.insert(number);
  return number;
}

absl::StatusOr<std::unique_ptr<MiningJobs::Entry>> MiningJobs::Resume(
    uint64_t number) {
  MutexLock lock(&mutex_);
  if (running_.contains(number)) {
    return RetryAfter(
        absl::UnavailableError(
            "the stream that is to be taken up still runs; try again"),
        kStillRunsRetryMs);
  }
  const auto found = std::find_if(
      kept_.begin(), kept_.end(),
      [number](const Kept& kept) { return kept.entry.number == number; });
  if (found == kept_.end()) {
    return std::unique_ptr<Entry>();
  }
  auto entry = std::make_unique<Entry>(std::move(found->entry));
  kept_.erase(found);
  running_.insert(number);
  return entry;
}

void MiningJobs::Keep(Entry entry) {
  std::list<Kept> old;  // destroyed without the lock
  {
    MutexLock lock(&mutex_);
    running_.erase(entry.number);
    if (entry.job != nullptr) {
      kept_.push_back({std::move(entry), Now()});
    }
    old = TakeOld(Now());
    changed_.NotifyAll();
  }
}

void MiningJobs::Close() {
  std::list<Kept> old;
  {
    MutexLock lock(&mutex_);
    closed_ = true;
    old = TakeOld(Now());
    changed_.NotifyAll();
  }
}

std::list<MiningJobs::Kept> MiningJobs::TakeOld(MonotonicTime now) {
  std::list<Kept> old;
  uint64_t bytes = 0;
  size_t count = 0;
  // From the newest on; one that is large alone is kept.
  for (auto it = kept_.end(); it != kept_.begin();) {
    --it;
    ++count;
    bytes += it->entry.job->bytes();
    if (closed_ || count > kKeptMax || (count > 1 && bytes > kKeptBytesMax) ||
        now - it->since >= kKeptFor) {
      const auto next = std::next(it);
      old.splice(old.end(), kept_, it);
      it = next;
    }
  }
  return old;
}

void MiningJobs::DropOld() {
  for (;;) {
    std::list<Kept> old;
    {
      MutexLock lock(&mutex_);
      if (closed_) {
        return;
      }
      if (kept_.empty()) {
        changed_.Wait(&mutex_);
      } else {
        changed_.WaitUntil(&mutex_, kept_.front().since + kKeptFor);
      }
      old = TakeOld(Now());
    }
  }
}

}  // namespace sextant
