// SPDX-License-Identifier: Apache-2.0
//
// Which normaliser a collection should have, by labelled queries.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/pinned_collection.h"
#include "engine/point.h"
#include "engine/work_progress.h"
#include "ranking/hubness/tune.h"

namespace sextant {

// A query and the point that answers it.
struct AnsweredQuery {
  std::vector<float> query;
  PointId id;
};

struct TuneQuery {
  std::string field;  // empty: the collection's only one
  // kTuneQueriesMin to limits::kTunePairsMax.
  std::vector<AnsweredQuery> pairs;
  std::string query_bank;
  std::string gallery_bank;  // empty: methods that need one are not tried
  // Names of methods; empty: those of DefaultCandidates().
  std::vector<std::string> methods;
  double held_out = 0.5;  // share of the pairs that judges; between 0 and 1
  uint64_t seed = 1;      // which pairs those are, and which points are sampled
  // Points that are ranked, at most, but for those that answer a query; 0:
  // limits::kTuneGalleryDefault.
  uint32_t gallery_points_max = 0;
};

struct TuneAnswer {
  TuneResult result;
  std::string field;
  uint64_t gallery_points = 0;     // that were ranked
  uint64_t collection_points = 0;  // that have the field
  // Mean |query - answer|^2 of the pairs (geometry_measures.h), under cosine.
  std::optional<double> alignment;
};

// Ranks the points of the collection, or a sample of them which holds every
// right answer, for each query without and with many normalisers. Exact: by
// matrix products, not by the index. InvalidField with paths "field",
// "pairs[3].query", "pairs[3].id", "query_bank", "methods[0]" and so on.
absl::StatusOr<TuneAnswer> TuneCollection(const PinnedCollection& pinned,
                                          const TuneQuery& query,
                                          ProgressSink progress,
                                          const RequestContext& context);

}  // namespace sextant
