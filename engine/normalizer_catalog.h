// SPDX-License-Identifier: Apache-2.0
//
// The banks and normalisers of a collection.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "base/mutex.h"
#include "base/published.h"
#include "base/thread_pool.h"
#include "engine/normalizer.h"
#include "engine/schema.h"
#include "engine/snapshot.h"
#include "storage/store.h"

namespace sextant {

// A new bank, or the new vectors of one.
struct BankUpload {
  std::string name;
  std::string field;     // empty: the collection's only one
  bool gallery = false;  // vectors like the items
  std::vector<std::vector<float>> vectors;
};

struct NormalizerStatus {
  storage::NormalizerRecord record;
  uint64_t segments = 0;  // of the newest snapshot
  uint64_t segments_known = 0;
  uint64_t bytes = 0;  // of memory
};

// Banks, normalisers and their state: stored with the collection, dropped with
// it, recovered when it is opened. A change of a bank makes new versions of the
// normalisers that use it: they are computed first, then take the places of the
// old ones at once.
//
// Thread-safe. Changes come one after the other; searches take no lock that a
// change holds while it works. Errors name the fields "name", "field",
// "vectors[3]", "query_bank", "gallery_bank" and those of ValidateSpec.
class NormalizerCatalog {
 public:
  using Snapshots = std::function<std::shared_ptr<const Snapshot>()>;

  // `pool` computes; null: the calling threads. All outlives the catalogue.
  NormalizerCatalog(Store* store, CollectionNumber collection,
                    const Schema* schema, ThreadPool* pool,
                    Snapshots snapshots);

  // Reads what is stored; once, before anything else. State of segments that is
  // missing or does not fit is computed. kDataLoss for damage to banks and
  // definitions.
  absl::Status Load();

  absl::StatusOr<storage::BankRecord> PutBank(const BankUpload& upload,
                                              const RequestContext& context);
  // A gallery bank of `count` points of the collection, chosen by `seed`; of
  // all if there are fewer.
  absl::StatusOr<storage::BankRecord> SampleBank(absl::string_view name,
                                                 absl::string_view field,
                                                 uint64_t count, uint64_t seed,
                                                 const RequestContext& context);
  // kFailedPrecondition while a normaliser uses it; kNotFound.
  absl::Status DeleteBank(absl::string_view name);
  std::vector<storage::BankRecord> ListBanks() const;
  // kNotFound.
  absl::StatusOr<std::shared_ptr<const Bank>> FindBank(
      absl::string_view name) const;

  // Replaces one of the same name. Returns when it serves.
  absl::StatusOr<storage::NormalizerRecord> PutNormalizer(
      storage::NormalizerRecord record, const RequestContext& context);
  absl::Status DeleteNormalizer(absl::string_view name);
  std::vector<NormalizerStatus> ListNormalizers() const;

  // What a search of the field by this name uses: empty: the field's default,
  // or none; "none": none. kNotFound naming `path`.
  absl::StatusOr<std::shared_ptr<const Normalizer>> Resolve(
      absl::string_view name, uint16_t field, absl::string_view path) const;

  // Computes what normalisers say of a segment that is about to be published,
  // so that no search has to.
  void Prepare(const std::shared_ptr<const SealedSegment>& segment,
               const RequestContext& context);
  // Stores the state of sealed segments that is not stored yet, and removes
  // that of segments which are gone. Called now and then, by one thread.
  absl::Status SaveState();

 private:
  struct State {
    std::map<std::string, std::shared_ptr<const Bank>, std::less<>> banks;
    std::map<std::string, std::shared_ptr<const Normalizer>, std::less<>>
        normalizers;
  };

  absl::Status SaveStateLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_mutex_);
  absl::StatusOr<uint16_t> FieldOf(absl::string_view name) const;
  absl::StatusOr<std::shared_ptr<const Normalizer>> MakeNormalizer(
      storage::NormalizerRecord record, const State& state,
      const RequestContext& context) const;
  absl::Status ComputeAll(const Normalizer& normalizer,
                          const RequestContext& context) const;
  absl::StatusOr<storage::BankRecord> StoreBank(
      const std::shared_ptr<Bank>& bank, const RequestContext& context)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_mutex_);
  absl::Status LoadBank(absl::string_view attachment, State* state);
  absl::Status LoadNormalizer(absl::string_view attachment, State* state);
  void RestoreState(const Normalizer& normalizer) const;

  Store* const store_;
  const CollectionNumber collection_;
  const Schema* const schema_;
  ThreadPool* const pool_;
  const Snapshots snapshots_;

  // Orders changes; held over their work, which nothing else waits for.
  mutable Mutex changes_mutex_;
  uint64_t next_version_ ABSL_GUARDED_BY(changes_mutex_) = 1;
  Published<State> state_;
};

}  // namespace sextant
