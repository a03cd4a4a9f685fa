// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/leaf_search.h"
#include "engine/segment_hits.h"
#include "engine/stage_clock.h"
#include "engine/validate_query.h"
#include "index/text/text_search.h"

namespace sextant {
namespace {

class TextLeafSearch final : public LeafSearch {
 public:
  TextLeafSearch(const LeafContext& search, const TextSource& source,
                 uint32_t candidates)
      : search_(search), source_(source), candidates_(candidates) {}

  // Analyses the query.
  absl::Status Bind() {
    ASSIGN_OR_RETURN(const std::vector<TextSearchField> fields,
                     TextFieldsOf(*search_.target.schema, source_));
    ASSIGN_OR_RETURN(query_, BoundTextQuery::Bind(source_.query, fields));
    for (const auto& view : search_.target.snapshot->segments) {
      segments_.push_back(view->text);
    }
    return absl::OkStatus();
  }

  std::string name() const override {
    std::string text = "text";
    for (const TextSearchField& field : query_.fields()) {
      absl::StrAppend(&text, &field == query_.fields().data() ? " " : ",",
                      field.name);
    }
    return text;
  }

  absl::StatusOr<std::vector<Candidate>> Run(StageTiming* timing) override {
    const StageClock clock;
    const Snapshot& snapshot = *search_.target.snapshot;
    RETURN_IF_ERROR(query_.ExpandPrefixes(segments_, search_.context));
    // By segment: rows that may be found, and the bits that they are told by.
    std::vector<std::vector<uint64_t>> bits(segments_.size());
    std::vector<RowFilter> filters;
    for (size_t i = 0; i < segments_.size(); ++i) {
      filters.push_back(RowsToFind(*snapshot.segments[i],
                                   MatchOf(search_.matches, i), bits[i]));
    }
    ASSIGN_OR_RETURN(statistics_, CollectTextStatistics(
                                      query_, segments_,
                                      source_.corpus == TextCorpus::kFiltered &&
                                              search_.matches.has_value()
                                          ? std::span<const RowFilter>(filters)
                                          : std::span<const RowFilter>(),
                                      search_.context));
    text_search_.emplace(query_, statistics_);
    std::vector<Candidate> found;
    for (size_t i = 0; i < segments_.size(); ++i) {
      const SegmentView& view = *snapshot.segments[i];
      TopK top(candidates_, view.growing.get());
      RETURN_IF_ERROR(text_search_->Search(segments_[i], filters[i], {},
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
              const std::vector<TextScore> found,
              text_search_->Score(segments_[segment], rows, search_.context));
          std::vector<double> scores;
          for (const TextScore& score : found) {
            scores.push_back(static_cast<double>(score.score));
          }
          return scores;
        });
  }

  absl::StatusOr<std::vector<TextScorePart>> Terms(
      const Candidate& point) const override {
    return text_search_->Explain(segments_[point.segment], point.row,
                                 search_.context);
  }

  std::string PlanText(absl::string_view indent) const override {
    std::string text = absl::StrCat(indent, name(), " candidates ", candidates_,
                                    ", terms ", query_.terms().size());
    for (size_t i = 0; i < statistics_.fields.size(); ++i) {
      absl::StrAppendFormat(&text, "\n%s  %s: %d points, average length %.4g",
                            indent, query_.fields()[i].name,
                            statistics_.fields[i].rows,
                            statistics_.fields[i].average_length());
    }
    return text + "\n";
  }

  double expected_recall() const override { return 1; }

 private:
  const LeafContext search_;
  const TextSource& source_;
  const uint32_t candidates_;
  BoundTextQuery query_;
  std::vector<TextSegment> segments_;
  TextStatistics statistics_;
  std::optional<TextSearch> text_search_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LeafSearch>> MakeTextLeaf(
    const LeafContext& search, const TextSource& source, uint32_t candidates,
    absl::string_view path) {
  auto leaf = std::make_unique<TextLeafSearch>(search, source, candidates);
  if (const absl::Status bound = leaf->Bind(); !bound.ok()) {
    return PrefixField(absl::StrCat(path, "."), bound);
  }
  return leaf;
}

}  // namespace sextant
