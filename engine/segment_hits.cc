// SPDX-License-Identifier: Apache-2.0
#include "engine/segment_hits.h"

#include "base/status_macros.h"

namespace sextant {

RowFilter RowsToFind(const SegmentView& view, const SegmentMatch* match,
                     std::vector<uint64_t>& bits) {
  if (match == nullptr) {
    return view.dead;
  }
  bits = match->rows.ToWords(view.rows);
  return RowFilter::Among(view.dead, bits);
}

void TakeFound(const SegmentView& view, size_t segment, TopK& top,
               std::vector<Candidate>* found) {
  for (const ScoredRow& row : top.TakeSorted()) {
    found->push_back(
        {row.score, view.id(row.row), static_cast<uint32_t>(segment), row.row});
  }
}

absl::StatusOr<std::vector<double>> ScoreBySegment(
    const Snapshot& snapshot, std::span<const Candidate> points,
    absl::FunctionRef<absl::StatusOr<std::vector<double>>(
        size_t segment, const std::vector<Ordinal>& rows)>
        score_rows) {
  std::vector<std::vector<size_t>> positions(snapshot.segments.size());
  for (size_t i = 0; i < points.size(); ++i) {
    positions[points[i].segment].push_back(i);
  }
  std::vector<double> scores(points.size());
  for (size_t segment = 0; segment < positions.size(); ++segment) {
    if (positions[segment].empty()) {
      continue;
    }
    std::vector<Ordinal> rows;
    for (const size_t position : positions[segment]) {
      rows.push_back(points[position].row);
    }
    ASSIGN_OR_RETURN(const std::vector<double> found,
                     score_rows(segment, rows));
    for (size_t i = 0; i < found.size(); ++i) {
      scores[positions[segment][i]] = found[i];
    }
  }
  return scores;
}

}  // namespace sextant
