// SPDX-License-Identifier: Apache-2.0
//
// The banks and normalisers of a collection.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "base/published.h"
#include "base/thread_pool.h"
#include "engine/events.h"
#include "engine/normalizer.h"
#include "engine/normalizer_attachments.h"
#include "engine/normalizer_change.h"
#include "engine/normalizer_status.h"
#include "engine/schema.h"
#include "engine/snapshot.h"
#include "storage/store.h"

namespace sextant {

// Banks, normalisers and their state: stored with the collection, dropped with
// it, recovered when it is opened. A change of a bank makes new versions of the
// normalisers that use it, a normaliser that is put a new version of itself.
// Changes are stored, then computed in the background in the order in which
// they came, while what they replace serves; then bank and normalisers switch
// at once. A restart goes on with what was computed; a newer change of the same
// bank or normaliser takes the place of one that waits. A caller that does not
// wait to the end ends nothing.
//
// Thread-safe. Searches take no lock that a change holds while it works. Errors
// name the fields "name", "field", "vectors[3]", "query_bank", "gallery_bank"
// and those of ValidateSpec.
class NormalizerCatalog {
 public:
  using Snapshots = std::function<std::shared_ptr<const Snapshot>()>;

  // What makes changes. All outlives the catalogue.
  struct Background {
    ThreadPool* changes = nullptr;  // one task a catalogue at a time
    ThreadPool* passes = nullptr;   // shares their work; null: nobody
    // Keeps the catalogue during a task.
    std::function<std::shared_ptr<const void>()> keep;
    EventSink events;
    std::string name;  // of the collection, for events
  };

  // All outlives the catalogue.
  NormalizerCatalog(Store* store, CollectionNumber collection,
                    const Schema* schema, Snapshots snapshots,
                    Background background);

  // Reads what is stored; once, before anything else. State of segments that is
  // missing or does not fit is computed. kDataLoss for damage to banks and
  // definitions.
  absl::Status Load();

  // Of a bank that no normaliser uses there is nothing to compute.
  // kFailedPrecondition when another change took the place of this one while
  // the caller waited.
  absl::StatusOr<storage::BankRecord> PutBank(
      const BankUpload& upload, const RequestContext& context,
      ReturnWhen when = ReturnWhen::kServed);
  absl::StatusOr<storage::BankRecord> SampleBank(
      const BankSample& sample, const RequestContext& context,
      ReturnWhen when = ReturnWhen::kServed);
  // kFailedPrecondition while a normaliser uses it; kNotFound.
  absl::Status DeleteBank(absl::string_view name);
  std::vector<BankStatus> ListBanks() const;
  // That is served. kNotFound.
  absl::StatusOr<std::shared_ptr<const Bank>> FindBank(
      absl::string_view name) const;

  // Replaces one of the same name. Errors as of PutBank.
  absl::StatusOr<storage::NormalizerRecord> PutNormalizer(
      storage::NormalizerRecord record, const RequestContext& context,
      ReturnWhen when = ReturnWhen::kServed);
  // Ends its changes, too.
  absl::Status DeleteNormalizer(absl::string_view name);
  std::vector<NormalizerStatus> ListNormalizers() const;

  // What a search of the field by this name uses: empty: the field's default,
  // or none; "none": none. InvalidField naming `path`; kFailedPrecondition
  // while the first version is computed.
  absl::StatusOr<std::shared_ptr<const Normalizer>> Resolve(
      absl::string_view name, uint16_t field, absl::string_view path) const;

  // Computes what normalisers say of a segment that is about to be published,
  // so that no search has to.
  void Prepare(const std::shared_ptr<const SealedSegment>& segment,
               const RequestContext& context);
  // Stores the state of sealed segments that is not stored yet, and removes
  // that of segments which are gone. Called now and then, by one thread.
  absl::Status SaveState();

  // Makes changes that are not made yet: after Load(), and now and then, when
  // an attempt may have failed.
  void ResumeChanges(MonotonicTime now);
  // Ends the attempt that runs and prevents new ones; who waits for a change
  // gets `outcome`.
  void StopChanges(const absl::Status& outcome);
  // After it: waits until nothing is computed.
  void WaitChangesStopped();

 private:
  using Changes = std::vector<std::shared_ptr<NormalizerChange>>;
  struct State {
    std::map<std::string, std::shared_ptr<const Bank>, std::less<>> banks;
    std::map<std::string, std::shared_ptr<const Normalizer>, std::less<>>
        normalizers;
    Changes changes;  // in the order in which they are made
  };
  using Banks = std::array<std::shared_ptr<const Bank>, 2>;
  using Writes = NormalizerAttachments::Writes;

  absl::StatusOr<uint16_t> FieldOf(absl::string_view name) const;
  static bool HasUser(const State& state, absl::string_view bank);
  static absl::StatusOr<Banks> BanksOf(const storage::NormalizerRecord& record,
                                       const State& state);
  static void AddNext(const State& state, NormalizerStatus* status);
  // Takes those that `is_taken` out of the state and, with what they stored,
  // out of the store.
  static Changes TakeOut(
      State* state, Writes* writes,
      const std::function<bool(const NormalizerChange&)>& is_taken);
  absl::Status CheckNew(const storage::NormalizerRecord& record,
                        const State& state) const;

  // --- normalizer_catalog_changes.cc ---
  // Null: it was made at once.
  absl::StatusOr<std::shared_ptr<NormalizerChange>> AcceptBank(
      const std::shared_ptr<Bank>& bank);
  absl::StatusOr<std::shared_ptr<NormalizerChange>> AcceptNormalizer(
      storage::NormalizerRecord record);
  absl::StatusOr<storage::BankRecord> StoreBank(
      const std::shared_ptr<Bank>& bank, const RequestContext& context,
      ReturnWhen when);
  absl::StatusOr<std::shared_ptr<const Normalizer>> MakeNormalizer(
      storage::NormalizerRecord record, Banks banks, const PassRun& run) const;
  // Computes what is not known of segments; with `is_stored` stores it.
  absl::Status Complete(const Normalizer& normalizer, const PassRun& run,
                        bool is_stored) const;
  absl::Status Start(NormalizerChange& change, const RequestContext& context,
                     ReturnWhen when);
  void Schedule();
  void RunChanges();
  absl::Status Attempt(const std::shared_ptr<NormalizerChange>& change);
  absl::Status Plan(NormalizerChange* change);
  absl::Status MakePlanned(const storage::NormalizerRecord& planned,
                           NormalizerChange* change, const PassRun& run);
  absl::Status CatchUp(const NormalizerChange& change,
                       const PassRun& run) const;
  absl::Status Switch(const std::shared_ptr<NormalizerChange>& change);
  absl::Status StoreChange(NormalizerChange* change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_mutex_);
  // kCancelled when another change is the next one.
  absl::Status CheckIsNext(const NormalizerChange& change) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_mutex_);
  absl::Status SaveStateLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_mutex_);
  void Tell(bool severe, const std::string& what) const;

  const NormalizerAttachments attachments_;
  const Schema* const schema_;
  const Snapshots snapshots_;
  const Background background_;

  // Orders what changes the state and the store.
  mutable Mutex changes_mutex_;
  uint64_t next_version_ ABSL_GUARDED_BY(changes_mutex_) = 1;
  Published<State> state_;

  // Of the task.
  std::atomic<bool> stopping_{false};
  Mutex task_mutex_;
  CondVar task_ended_;
  bool scheduled_ ABSL_GUARDED_BY(task_mutex_) = false;  // queued or running
  bool running_ ABSL_GUARDED_BY(task_mutex_) = false;
  bool again_ ABSL_GUARDED_BY(task_mutex_) = false;
  MonotonicTime retry_at_ ABSL_GUARDED_BY(task_mutex_){};
};

}  // namespace sextant
