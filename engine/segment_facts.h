// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>

#include "engine/limits.h"
#include "index/recall_curve.h"
#include "index/search_costs.h"
#include "index/window_index.h"

namespace sextant {

// What the planner may know of a segment, for the field that is searched.
struct SegmentFacts {
  uint32_t number = 0;
  bool growing = false;
  bool has_graph = false;
  uint64_t rows = 0;
  uint64_t dead = 0;
  // Null where it was not measured. Outlives the planning.
  const RecallCurve* recall_curve = nullptr;
  bool has_binary_codes = false;
  bool has_codes = false;  // others
  // Graph searches do not read the floats (VectorIndex::scores_by_codes).
  bool scores_by_codes = false;
  std::optional<uint64_t> matching;  // with a filter: as in SegmentPlan
  // Where all that match lie in a window: its index, which outlives the
  // planning.
  const WindowIndex* window = nullptr;
  RankWindow ranks;
  // The filter is that window.
  bool is_window = false;
  SearchCosts costs;
};

// What a search is planned by that does not say how hard to try.
struct SearchDefaults {
  double recall_target = limits::kRecallTargetDefault;
  uint32_t ef = 0;  // not 0: this beam width in place of the target
  // Of graph walks for points of a filter, by probes; 0: not known.
  double filtered_recall = 0;
};

}  // namespace sextant
