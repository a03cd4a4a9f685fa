// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/candidate.h"
#include "engine/normalizer.h"
#include "engine/plan.h"
#include "engine/search_target.h"
#include "engine/snapshot.h"
#include "ranking/hubness/rescoring.h"

namespace sextant {

// A normaliser that rescores candidates (rescoring.h), bound to the query of
// one search.
//
// Nothing of it is stored: neighbourhoods are searched for, and products with
// the bank computed, for the candidates of each search, so they are always
// those of the points that live. The neighbourhood of the query, like gates, is
// that among all points whatever the query's filter is.
//
// Immutable, thread-safe.
class Rescorer {
 public:
  struct Query {
    std::span<const float> vector;
    std::string own_id;  // encoded, of the stored point that it is; else empty
    bool exact = false;  // compare with every point for neighbourhoods
  };

  static absl::StatusOr<Rescorer> Make(
      std::shared_ptr<const Normalizer> normalizer, const SearchTarget& target,
      const Query& query, const RequestContext& context);

  // The scores in place of raw ones, of points of the snapshot that it was made
  // for. Where the raw one is not known it stays so.
  absl::StatusOr<std::vector<double>> ScoresOf(
      const Snapshot& snapshot, std::span<const Candidate> points,
      std::span<const double> raw, const RequestContext& context) const;

  // The same for what a search found by raw scores; puts it in order.
  absl::Status Rescore(const Snapshot& snapshot, const RequestContext& context,
                       std::vector<Candidate>* found) const;

 private:
  Rescorer() = default;

  // Raw similarities of the k nearest points, best first; `is_self` says which
  // one does not count.
  template <typename IsSelf>
  absl::StatusOr<std::vector<float>> Nearest(const Snapshot& snapshot,
                                             std::span<const float> vector,
                                             const RequestContext& context,
                                             const IsSelf& is_self) const;
  Neighborhood NeighborhoodOfThe(std::span<const float> similarities) const;
  absl::StatusOr<double> ByNeighborhoods(const Snapshot& snapshot,
                                         const Candidate& point, double raw,
                                         const RequestContext& context) const;
  absl::Status ByBank(const Snapshot& snapshot,
                      std::span<const Candidate> points,
                      const RequestContext& context,
                      std::vector<double>* scores) const;

  std::shared_ptr<const Normalizer> normalizer_;
  Similarity similarity_ = Similarity::kProduct;
  uint32_t dimension_ = 0;
  DensePlan plan_;         // of a search for neighbours
  Neighborhood query_;     // distances
  double query_mean_ = 0;  // similarity
};

}  // namespace sextant
