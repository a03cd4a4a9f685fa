// SPDX-License-Identifier: Apache-2.0
//
// Pairs of points of two collections that belong together.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/collection.h"
#include "engine/live_vectors.h"
#include "engine/nearest_points.h"
#include "engine/pinned_collection.h"
#include "engine/work_progress.h"
#include "ranking/hubness/margin.h"

namespace sextant {

// One side of a mining: a field of a collection.
struct MiningSide {
  std::shared_ptr<const Collection> collection;
  std::string field;  // empty: the only one
};

struct MiningQuery {
  MiningSide source;
  MiningSide target;  // may be the source
  MarginKind margin = MarginKind::kRatio;
  MiningMode mode = MiningMode::kMax;
  std::optional<double> threshold;  // only pairs of a greater score
  uint32_t k = 0;           // neighbours of means; 0: kMiningNeighborsDefault
  uint32_t candidates = 0;  // neighbours that may make a pair; 0: the default
  bool exact = false;       // compare with every point, not by the index
};

// A pair, by numbers of MiningJob.
struct MinedIds {
  PointId source;
  PointId target;
  double score = 0;
};

// The nearest points of the other side for every point of both sides, then
// margin scores of those neighbours (margin.h), on the collections as they were
// when the job was made. The neighbours come from the index, at the recall that
// searches of the collection have.
//
// Mining of a field with itself: no point is its own neighbour, and a pair is
// listed once, with its smaller id as the source; under kMax each point is in
// one pair at most.
//
// Owned by who runs it, one thread at a time; what was found stays when Run()
// is stopped, and the next Run() goes on there. Holds the collections'
// segments, but no view of the store. 8 bytes a point and candidate, which
// limits::kMiningBytesMax bounds, while it searches; 16 a pair afterwards.
class MiningJob {
 public:
  // InvalidField with paths "source_field", "target_field", "k", "candidates";
  // kFailedPrecondition when there are too many points.
  static absl::StatusOr<std::unique_ptr<MiningJob>> Make(
      const MiningQuery& query, const RequestContext& context);

  absl::Status Run(ProgressSink progress, const RequestContext& context);
  bool done() const { return done_; }

  // Once it is done: best scores first, equal ones in the order of their
  // points' numbers.
  size_t size() const { return pairs_.size(); }
  MinedIds pair(size_t i) const;

  // The state of the collections it works on.
  Sequence source_seq() const { return source_.seq; }
  Sequence target_seq() const { return target_.seq; }
  uint64_t bytes() const;

 private:
  // A side with what was found for its points.
  struct Side {
    std::shared_ptr<const Collection> collection;
    PinnedCollection pinned;
    uint16_t field = 0;
    uint32_t dimension = 0;
    Sequence seq = 0;
    std::optional<LiveVectors> points;
    // The search for neighbours of its points, on the other side.
    std::optional<NearestPoints> search;
    std::vector<Neighbor> nearest;  // search->k() a point
    size_t searched = 0;            // points
  };

  MiningJob() = default;
  static absl::Status OpenSide(const MiningSide& side, absl::string_view path,
                               const RequestContext& context, Side* opened);
  absl::Status PrepareSearches(bool exact);
  absl::Status Search(Side* side, ProgressSink progress,
                      const RequestContext& context);
  void MakePairs();
  void KeepEachOnce();
  const Side& other() const { return with_itself_ ? source_ : target_; }

  MiningOptions options_;
  uint32_t candidates_ = 0;
  Side source_;
  Side target_;
  bool with_itself_ = false;
  bool done_ = false;
  std::vector<MinedPair> pairs_;
};

}  // namespace sextant
