// SPDX-License-Identifier: Apache-2.0
//
// k-nearest-neighbour joins: the nearest points for very many queries.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/live_vectors.h"
#include "engine/normalizer.h"
#include "engine/pinned_collection.h"
#include "engine/plan.h"
#include "ranking/hubness/bank_statistics.h"

namespace sextant {

struct NearestAim {
  uint16_t field = 0;
  uint32_t k = 1;
  // Compare with every point; else the index, by the collection's recall.
  bool exact = false;
  // Of the field; empty: its default, "none": raw scores.
  std::string normalizer = kNoNormalizer;
  // Queries are points of the collection, and none is its own neighbour.
  bool without_self = false;
};

// Searches of one frozen collection that differ by their query alone: planned
// once, nothing is fetched, points are numbers of `LiveVectors`.
//
// Immutable, thread-safe. What it is made of outlives it.
class NearestPoints {
 public:
  // InvalidField("normalizer") for one that there is not.
  static absl::StatusOr<NearestPoints> Make(const PinnedCollection* pinned,
                                            const LiveVectors* points,
                                            const NearestAim& aim);

  // Neighbours of every query: as asked for, or all there are.
  uint32_t k() const { return k_; }
  const NearestAim& aim() const { return aim_; }
  const LiveVectors& points() const { return *points_; }
  ThreadPool* pool() const { return pinned_->pool; }

  // k() neighbours, nearest first, equal ones by id. `query` is normalised
  // under cosine; `self` is its number, or LiveVectors::kNone.
  absl::Status Find(std::span<const float> query, uint32_t self,
                    const RequestContext& context,
                    std::span<Neighbor> out) const;

 private:
  NearestPoints() = default;
  absl::Status FindBy(const DensePlan& plan, std::span<const float> query,
                      uint32_t self, const RequestContext& context,
                      std::vector<Neighbor>* found) const;

  const PinnedCollection* pinned_ = nullptr;
  const LiveVectors* points_ = nullptr;
  NearestAim aim_;
  uint32_t k_ = 0;
  DensePlan plan_;
  DensePlan exact_plan_;
};

// The queries of a join; both functions may be called by several threads.
struct JoinQueries {
  absl::FunctionRef<std::span<const float>(size_t)> vector;
  absl::FunctionRef<uint32_t(size_t)> self;
};

// Queries from `first` on, as many as `out` has room for, k() neighbours each;
// on the threads of the collection's pool.
absl::Status JoinNearest(const NearestPoints& search,
                         const JoinQueries& queries, size_t first,
                         const RequestContext& context,
                         std::span<Neighbor> out);

// Queries that one call of JoinNearest should have, so that who waits for it
// hears of its progress a few times a second.
inline constexpr size_t kJoinSlice = 2048;

}  // namespace sextant
