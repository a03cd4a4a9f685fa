// SPDX-License-Identifier: Apache-2.0
#include "index/match_scan.h"

#include <algorithm>
#include <array>

#include "base/status_macros.h"
#include "index/nearest_estimates.h"
#include "index/row_scorer.h"

namespace sextant {
namespace {

// Rows whose codes are fetched from memory while those before are estimated.
constexpr size_t kStep = 64;

struct Scratch {
  CodedQuery query;
  NearestEstimates nearest;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

// The nodes of a step of rows, on their way from memory.
struct Step {
  std::array<uint32_t, kStep> nodes;
  size_t size = 0;

  void Fetch(const SearchedGraph& searched, std::span<const uint32_t> rows) {
    size = std::min(kStep, rows.size());
    for (size_t i = 0; i < size; ++i) {
      nodes[i] = searched.graph.node_of(rows[i]);
      searched.codes->Prefetch(nodes[i]);
    }
  }
};

}  // namespace

absl::Status ScanRowsByCodes(const ScanRequest& request,
                             const SearchedGraph& searched,
                             std::span<const uint32_t> rows, TopK& top,
                             SearchWork& work) {
  const RowBlock block{searched.vectors, searched.ordinals,
                       static_cast<uint32_t>(rows.size())};
  Scratch& scratch = ThreadScratch();
  if (rows.size() <= RowScorer::kRowsMax ||
      !searched.codes->EncodeQuery(request.query, scratch.query)) {
    return ScanRows(request, block, rows, top, work);
  }
  scratch.nearest.Start(top.k(), searched.codes->error(scratch.query));
  std::array<float, kStep> distances;
  Step next;
  next.Fetch(searched, rows);
  for (size_t begin = 0; begin < rows.size(); begin += kStep) {
    if (begin % (8 * kStep) == 0) {
      RETURN_IF_ERROR(request.context.Check());
    }
    const Step step = next;
    next.Fetch(searched, rows.subspan(begin + step.size));
    searched.codes->Distances(scratch.query, {step.nodes.data(), step.size},
                              distances.data());
    work.distances += step.size;
    request.bias.Correct(rows.subspan(begin, step.size), -1, distances.data());
    scratch.nearest.Keep(step.size, [&](NearestEstimates::Estimate* place) {
      for (size_t i = 0; i < step.size; ++i) {
        *place = {distances[i], rows[begin + i]};
        place += distances[i] < scratch.nearest.bound() ? 1 : 0;
      }
      return place;
    });
  }
  RowScorer scorer(request, block, top, work);
  scratch.nearest.Score(top, scorer, [](uint32_t row) { return row; });
  return absl::OkStatus();
}

}  // namespace sextant
