// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "engine/candidate.h"
#include "engine/dense_search.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/search_target.h"

namespace sextant {

// One source of a search that finds points by itself, ready to be run on one
// snapshot. Owned by one search; refers to the query and the target.
class LeafSearch {
 public:
  virtual ~LeafSearch() = default;

  // "dense embedding".
  virtual std::string name() const = 0;
  // The best points, best first, at most as many as the source is to find.
  // Once, before the rest. Fills in all of `timing` but its name.
  virtual absl::StatusOr<std::vector<Candidate>> Run(StageTiming* timing) = 0;
  // The true score of each of `points`, which Run() did not find;
  // ScoreList::kUnknown where the point has none by this source.
  virtual absl::StatusOr<std::vector<double>> Score(
      std::span<const Candidate> points) = 0;
  // What the score of a point is made of; after Run(). Empty where there is
  // nothing to tell.
  virtual absl::StatusOr<std::vector<TextScorePart>> Terms(
      const Candidate& /*point*/) const {
    return std::vector<TextScorePart>();
  }
  // The same of a sparse source: the greatest, limits::kSparseProductsShown of
  // them at most.
  virtual absl::StatusOr<std::vector<SparseProduct>> Products(
      const Candidate& /*point*/) const {
    return std::vector<SparseProduct>();
  }
  // Its lines of the plan, which begin with `indent`.
  virtual std::string PlanText(absl::string_view indent) const = 0;
  // Share of the exact best that Run() found; 0: not known.
  virtual double expected_recall() const = 0;
};

// What the leaves of one search share.
struct LeafContext {
  const SearchTarget& target;
  const SearchQuery& query;
  const Matches& matches;
  const RequestContext& context;
};

// `source` was checked; `path` is its path in the request.
absl::StatusOr<std::unique_ptr<LeafSearch>> MakeDenseLeaf(
    const LeafContext& search, const DenseSource& source, uint32_t candidates,
    absl::string_view path);

absl::StatusOr<std::unique_ptr<LeafSearch>> MakeTextLeaf(
    const LeafContext& search, const TextSource& source, uint32_t candidates,
    absl::string_view path);

absl::StatusOr<std::unique_ptr<LeafSearch>> MakeSparseLeaf(
    const LeafContext& search, const SparseSource& source, uint32_t candidates,
    absl::string_view path);

}  // namespace sextant
