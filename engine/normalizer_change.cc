// SPDX-License-Identifier: Apache-2.0
#include "engine/normalizer_change.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status_macros.h"

namespace sextant {
namespace {

// How soon a waiter sees that its caller is gone.
constexpr std::chrono::milliseconds kChangeWaitPoll{20};

}  // namespace

NormalizerChange::NormalizerChange(std::shared_ptr<const Bank> bank)
    : bank_(std::move(bank)), number_(bank_->record.version()) {}

NormalizerChange::NormalizerChange(storage::NormalizerRecord wanted)
    : wanted_(std::move(wanted)), number_(wanted_->version()) {
  plan_.push_back(*wanted_);
}

bool NormalizerChange::IsOfBank(absl::string_view name) const {
  return bank_ != nullptr && bank_->record.name() == name;
}

bool NormalizerChange::IsOfNormalizer(absl::string_view name) const {
  return wanted_.has_value() && wanted_->name() == name;
}

bool NormalizerChange::NeedsBank(absl::string_view name) const {
  return wanted_.has_value() && UsesBank(*wanted_, name);
}

std::vector<storage::NormalizerRecord> NormalizerChange::plan() const {
  MutexLock lock(&mutex_);
  return plan_;
}

void NormalizerChange::SetPlan(std::vector<storage::NormalizerRecord> plan) {
  MutexLock lock(&mutex_);
  std::erase_if(made_, [&plan](const auto& made) {
    return std::ranges::find(plan, made.first,
                             &storage::NormalizerRecord::name) == plan.end();
  });
  plan_ = std::move(plan);
  is_stored_ = false;
}

bool NormalizerChange::is_stored() const {
  MutexLock lock(&mutex_);
  return is_stored_;
}

void NormalizerChange::SetStored() {
  MutexLock lock(&mutex_);
  is_stored_ = true;
}

storage::NormalizerChangeRecord NormalizerChange::ToRecord() const {
  storage::NormalizerChangeRecord record;
  if (bank_ != nullptr) {
    *record.mutable_bank() = bank_->record;
  }
  for (storage::NormalizerRecord& planned : plan()) {
    *record.add_normalizers() = std::move(planned);
  }
  return record;
}

std::shared_ptr<const Normalizer> NormalizerChange::Made(
    absl::string_view name) const {
  MutexLock lock(&mutex_);
  const auto found = made_.find(name);
  return found == made_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Normalizer>> NormalizerChange::AllMade()
    const {
  MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<const Normalizer>> all;
  for (const auto& [name, made] : made_) {
    all.push_back(made);
  }
  return all;
}

void NormalizerChange::AddMade(std::shared_ptr<const Normalizer> made) {
  MutexLock lock(&mutex_);
  const std::string& name = made->record().name();
  const auto planned =
      std::ranges::find(plan_, name, &storage::NormalizerRecord::name);
  if (planned != plan_.end()) {
    is_stored_ = is_stored_ && planned->offsets() == made->record().offsets();
    *planned = made->record();
  }
  made_[name] = std::move(made);
}

void NormalizerChange::BeginAttempt(uint64_t total) {
  done_ = 0;
  total_ = total;
}

void NormalizerChange::Fail(absl::Status error) {
  MutexLock lock(&mutex_);
  error_ = std::move(error);
  changed_.NotifyAll();
}

void NormalizerChange::End(absl::Status outcome) {
  MutexLock lock(&mutex_);
  if (!outcome_.has_value()) {
    outcome_ = std::move(outcome);
  }
  interrupted_ = true;
  changed_.NotifyAll();
}

absl::Status NormalizerChange::Wait(const RequestContext& context) const {
  MutexLock lock(&mutex_);
  while (!outcome_.has_value()) {
    RETURN_IF_ERROR(error_);
    RETURN_IF_ERROR(context.Check());
    changed_.WaitFor(&mutex_, kChangeWaitPoll);
  }
  return *outcome_;
}

ChangeProgress NormalizerChange::Progress(absl::string_view normalizer) const {
  ChangeProgress progress;
  progress.total = total_;
  // Points that are written meanwhile are counted, too.
  progress.done = std::min<uint64_t>(done_, progress.total);
  MutexLock lock(&mutex_);
  if (normalizer.empty()) {
    progress.version = number_;
  }
  for (const storage::NormalizerRecord& planned : plan_) {
    if (planned.name() == normalizer) {
      progress.version = planned.version();
    }
  }
  progress.error = error_;
  return progress;
}

}  // namespace sextant
