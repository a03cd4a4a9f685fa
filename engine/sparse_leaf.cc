// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "engine/leaf_search.h"
#include "engine/limits.h"
#include "engine/segment_hits.h"
#include "engine/stage_clock.h"
#include "engine/validate_query.h"
#include "index/text/sparse_segment.h"

namespace sextant {
namespace {

class SparseLeafSearch final : public LeafSearch {
 public:
  SparseLeafSearch(const LeafContext& search, uint16_t field,
                   std::vector<SparseEntry> query, uint32_t candidates)
      : search_(search),
        field_(field),
        query_(std::move(query)),
        candidates_(candidates) {}

  std::string name() const override {
    return absl::StrCat("sparse ",
                        search_.target.schema->sparse_fields[field_].name);
  }

  absl::StatusOr<std::vector<Candidate>> Run(StageTiming* timing) override {
    const StageClock clock;
    const Snapshot& snapshot = *search_.target.snapshot;
    std::vector<Candidate> found;
    for (size_t i = 0; i < snapshot.segments.size(); ++i) {
      const SegmentView& view = *snapshot.segments[i];
      TopK top(candidates_, view.growing.get());
      std::vector<uint64_t> bits;
      RETURN_IF_ERROR(
          SearchSparse(view.sparse[field_], query_,
                       RowsToFind(view, MatchOf(search_.matches, i), bits), {},
                       search_.context, top));
      TakeFound(view, i, top, &found);
    }
    KeepBest(candidates_, &found);
    timing->candidates_in = snapshot.state.live_count;
    timing->candidates_out = found.size();
    timing->seconds = clock.seconds();
    return found;
  }

  absl::StatusOr<std::vector<double>> Score(
      std::span<const Candidate> points) override {
    return ScoreBySegment(
        *search_.target.snapshot, points,
        [this](size_t segment, const std::vector<Ordinal>& rows)
            -> absl::StatusOr<std::vector<double>> {
          ASSIGN_OR_RETURN(
              const std::vector<float> found,
              ScoreSparse(parts(segment), query_, rows, search_.context));
          return std::vector<double>(found.begin(), found.end());
        });
  }

  absl::StatusOr<std::vector<SparseProduct>> Products(
      const Candidate& point) const override {
    ASSIGN_OR_RETURN(std::vector<SparseProduct> products,
                     ExplainSparse(parts(point.segment), query_, point.row,
                                   search_.context));
    std::stable_sort(products.begin(), products.end(),
                     [](const SparseProduct& a, const SparseProduct& b) {
                       return std::abs(a.score) > std::abs(b.score);
                     });
    products.resize(std::min(products.size(), limits::kSparseProductsShown));
    return products;
  }

  std::string PlanText(absl::string_view indent) const override {
    return absl::StrCat(indent, name(), " candidates ", candidates_,
                        ", indices ", query_.size(), "\n");
  }

  double expected_recall() const override { return 1; }

 private:
  const SparseParts& parts(size_t segment) const {
    return search_.target.snapshot->segments[segment]->sparse[field_];
  }

  const LeafContext search_;
  const uint16_t field_;
  const std::vector<SparseEntry> query_;  // as NormalizeSparse leaves it
  const uint32_t candidates_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LeafSearch>> MakeSparseLeaf(
    const LeafContext& search, const SparseSource& source, uint32_t candidates,
    absl::string_view path) {
  const SearchTarget& target = search.target;
  ASSIGN_OR_RETURN(const uint16_t field, SparseFieldOf(*target.schema, source));
  std::vector<SparseEntry> query;
  if (const auto* id = std::get_if<PointId>(&source.target)) {
    search.context.AboutToWait();
    ASSIGN_OR_RETURN_WITH(query,
                          target.reader->ReadSparse(
                              target.snapshot->store_view.get(), *id, field),
                          absl::StrCat(path, ".stored_point"));
  } else {
    query = std::get<std::vector<SparseEntry>>(source.target);
    RETURN_IF_ERROR(NormalizeSparse(query, absl::StrCat(path, ".vector")));
  }
  return std::make_unique<SparseLeafSearch>(search, field, std::move(query),
                                            candidates);
}

}  // namespace sextant
