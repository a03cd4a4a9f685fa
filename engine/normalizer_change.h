// SPDX-License-Identifier: Apache-2.0
//
// A change of a bank or of a normaliser whose state is being computed.

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "base/mutex.h"
#include "engine/normalizer.h"
#include "storage/format.pb.h"

namespace sextant {

// Where a change stands.
struct ChangeProgress {
  uint64_t version = 0;  // what will be served; 0: not known yet
  // Points, each counted for every pass over it. Both 0: not begun.
  uint64_t done = 0;
  uint64_t total = 0;
  absl::Status error;  // of the last attempt; there will be another
};

// Stored before it is made, so that a restart goes on with it. The new versions
// of normalisers are made beside those that serve, which know nothing of it.
//
// Thread-safe. Shared by the catalogue, the thread that computes and those who
// wait.
class NormalizerChange {
 public:
  // The new vectors of a bank: for all normalisers that use it.
  explicit NormalizerChange(std::shared_ptr<const Bank> bank);
  // One normaliser, with its new version.
  explicit NormalizerChange(storage::NormalizerRecord wanted);

  // Of its attachment; the later change has the greater one.
  uint64_t number() const { return number_; }
  // Null: it is of a normaliser.
  const std::shared_ptr<const Bank>& bank() const { return bank_; }
  const std::optional<storage::NormalizerRecord>& wanted() const {
    return wanted_;
  }
  bool IsOfBank(absl::string_view name) const;
  bool IsOfNormalizer(absl::string_view name) const;
  // Whether it makes a normaliser that has the bank.
  bool NeedsBank(absl::string_view name) const;

  // The normalisers that are made, with their new versions.
  std::vector<storage::NormalizerRecord> plan() const;
  // What was made of others is let go.
  void SetPlan(std::vector<storage::NormalizerRecord> plan);
  storage::NormalizerChangeRecord ToRecord() const;
  // Whether its record is stored as it is: not after the plan has changed.
  bool is_stored() const;
  void SetStored();

  // A normaliser of the plan, whose biases may not be complete; null before.
  std::shared_ptr<const Normalizer> Made(absl::string_view name) const;
  std::vector<std::shared_ptr<const Normalizer>> AllMade() const;
  // Its record, which may have got offsets, takes its place in the plan.
  void AddMade(std::shared_ptr<const Normalizer> made);

  // --- the attempt ---
  void BeginAttempt(uint64_t total);
  std::atomic<uint64_t>* done() { return &done_; }
  // Ends the attempt that runs, if one does: what it works for has changed.
  void Interrupt() { interrupted_ = true; }
  void ForgetInterrupt() { interrupted_ = false; }
  bool interrupted() const { return interrupted_; }

  // --- the end ---
  // Of the last attempt; who waits gets it. The change stays.
  void Fail(absl::Status error);
  // It serves (OK), or will not any more. The first outcome counts.
  void End(absl::Status outcome);
  // The outcome, the error of an attempt that failed, or the context's.
  absl::Status Wait(const RequestContext& context) const;

  // Of the bank or the normaliser of that name (empty: of the bank).
  ChangeProgress Progress(absl::string_view normalizer) const;

 private:
  const std::shared_ptr<const Bank> bank_;
  const std::optional<storage::NormalizerRecord> wanted_;
  const uint64_t number_;

  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> total_{0};
  std::atomic<bool> interrupted_{false};

  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::vector<storage::NormalizerRecord> plan_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<const Normalizer>, std::less<>> made_
      ABSL_GUARDED_BY(mutex_);
  bool is_stored_ ABSL_GUARDED_BY(mutex_) = true;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sextant
