// SPDX-License-Identifier: Apache-2.0
//
// The sampled queries of a collection.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"
#include "engine/query_sample.h"
#include "engine/schema.h"
#include "engine/search_query.h"
#include "storage/store.h"

namespace sextant {

struct QuerySampleInfo {
  std::string field;
  uint32_t capacity = 0;  // 0: off
  uint64_t seed = 0;
  uint64_t seen = 0;  // vectors since it was started or cleared
  uint64_t kept = 0;
};

// A sample of the query vectors of each vector field that asks for one: what
// searches bring as vectors, normalised where the metric asks for it. Stored
// with the collection now and then, so a crash loses the newest; dropped with
// it. Errors name "field" and "capacity".
//
// Thread-safe. Searches take a lock only for the few vectors that are kept, and
// do not wait for it.
class QuerySampler {
 public:
  // All outlives it.
  QuerySampler(Store* store, CollectionNumber collection, const Schema* schema);

  // Reads what is stored; once, before anything else. kDataLoss for damage.
  absl::Status Load();

  // After a search that was answered.
  void Offer(const SearchQuery& query) {
    if (is_on_.load(std::memory_order_relaxed)) {
      OfferVectors(query);
    }
  }

  // Starts a sample anew, or turns it off and forgets it (capacity 0); an empty
  // field is the collection's only one.
  absl::StatusOr<QuerySampleInfo> Start(absl::string_view field,
                                        uint32_t capacity, uint64_t seed);
  // Forgets what was kept and goes on. kFailedPrecondition while it is off.
  absl::StatusOr<QuerySampleInfo> Clear(absl::string_view field);
  // Those that are on, in the order of the fields.
  std::vector<QuerySampleInfo> List() const;
  // kFailedPrecondition when nothing is kept.
  absl::StatusOr<std::vector<std::vector<float>>> Vectors(
      absl::string_view field) const;
  // Some of the newest, row by row; none while it is off.
  std::vector<float> Recent(uint16_t field) const;

  // Stores the samples that changed since they were stored.
  absl::Status Save();

 private:
  void OfferVectors(const SearchQuery& query);
  void NoteWhetherOn();
  absl::StatusOr<uint16_t> FieldOf(absl::string_view name) const;
  QuerySampleInfo InfoOf(size_t field) const;
  absl::Status LoadField(size_t field);
  absl::Status SaveField(size_t field)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(save_mutex_);

  Store* const store_;
  const CollectionNumber collection_;
  const Schema* const schema_;
  std::vector<std::unique_ptr<QuerySample>> samples_;  // by field
  std::atomic<bool> is_on_{false};                     // of any field

  // Orders what is stored; searches do not know it.
  Mutex save_mutex_;
  std::vector<uint64_t> saved_changes_ ABSL_GUARDED_BY(save_mutex_);
  std::vector<uint32_t> saved_chunks_ ABSL_GUARDED_BY(save_mutex_);
};

}  // namespace sextant
