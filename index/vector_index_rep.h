// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <optional>

#include "absl/base/call_once.h"

#include "index/aligned_array.h"
#include "index/frozen_graph.h"
#include "index/graph_search.h"
#include "index/search_costs.h"
#include "index/vector_codes.h"
#include "index/vector_index.h"

namespace sextant {

// What a VectorIndex holds: views, all checked by Open. Inside index/ only.
struct VectorIndex::Rep {
  // Empty unless copied (Placement).
  std::array<AlignedBytes, 4> copies;
  IndexMemory memory;
  VectorShape shape;
  uint32_t rows = 0;
  bool scores_by_codes = false;
  size_t stride = 0;
  const float* vectors = nullptr;
  const Ordinal* ordinals = nullptr;
  std::optional<FrozenGraph> graph;
  std::optional<VectorCodes> codes;
  std::optional<RecallCurve> recall_curve;
  // Learns from searches; only plans depend on it.
  mutable std::optional<ObservedCosts> costs;
  uint32_t segment_ordinals = 0;
  // Made when first asked for.
  absl::once_flag rows_made;
  std::vector<uint32_t> rows_by_ordinal;

  // Needs a graph.
  SearchedGraph Searched() const {
    SearchedGraph searched{*graph, codes ? &*codes : nullptr, vectors,
                           ordinals};
    searched.scored_by_codes = scores_by_codes;
    if (recall_curve) {
      searched.longest_row = recall_curve->longest_row();
    }
    return searched;
  }
};

}  // namespace sextant
