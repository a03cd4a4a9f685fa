// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "base/published.h"
#include "engine/events.h"
#include "engine/normalizer_catalog.h"
#include "engine/normalizer_shift.h"
#include "engine/query_sampler.h"

namespace sextant {

// Compares the queries of a collection with the banks that stand for them,
// where they are sampled (QuerySampler). Owned by its collection. Thread-safe.
class QueryWatch {
 public:
  static constexpr std::chrono::hours kWarnEvery{1};

  // All outlives it; `collection` is its name. Warns by `events`.
  QueryWatch(const Schema* schema, const NormalizerCatalog* normalizers,
             const QuerySampler* queries, std::string collection,
             EventSink events);

  // Compares anew; warns of a shift, of each normaliser at most once in
  // kWarnEvery. Where queries are not sampled, or few were, nothing is said.
  void Measure(MonotonicTime now, const RequestContext& context);
  // As of the last Measure(), by normaliser.
  std::vector<NormalizerShift> shifts() const { return *shifts_.Load(); }
  std::optional<QueryShift> ShiftOf(absl::string_view normalizer) const;

 private:
  // Of the query bank of a normaliser.
  absl::StatusOr<QueryShift> ShiftOfBank(
      const storage::NormalizerRecord& record,
      const RequestContext& context) const;

  const Schema* const schema_;
  const NormalizerCatalog* const normalizers_;
  const QuerySampler* const queries_;
  const std::string collection_;
  const EventSink events_;

  // One measures at a time.
  Mutex mutex_;
  std::map<std::string, MonotonicTime> warned_ ABSL_GUARDED_BY(mutex_);
  Published<std::vector<NormalizerShift>> shifts_;
};

}  // namespace sextant
