// SPDX-License-Identifier: Apache-2.0
//
// A search as the engine takes it, and its answer. Mirrors sextant.v1's
// SearchRequest; sources are alternatives of a variant there as here.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/point.h"
#include "filters/filter.h"
#include "storage/records.h"

namespace sextant {

// The nearest points by a dense vector field.
struct DenseSource {
  std::string field;  // empty: the collection's only one
  std::variant<std::vector<float>, PointId> target;
  // How hard to try; at most one of these and SearchQuery::recall_target.
  uint32_t ef = 0;     // beam width of graph searches
  bool exact = false;  // compare with every point
};

using Source = std::variant<DenseSource>;

struct SearchQuery {
  std::vector<Source> sources;  // exactly one
  // Points that may be in the answer; none: all.
  std::optional<Filter> filter;
  // Hits with a lower score are left out. Without an effort and a recall target
  // the search is exact then.
  std::optional<double> min_score;
  uint32_t limit = 0;
  uint32_t offset = 0;
  // Share of the exact best offset + limit that the answer shall hold, 0 to 1;
  // 1 = all, by comparing with every point; 0 = the engine's default.
  double recall_target = 0;
  Projection projection;
  // Payloads and vectors of an answer, in bytes; more is kResourceExhausted,
  // found out before much more than this was read.
  uint64_t fetch_bytes_max = uint64_t{1} << 30U;
  bool explain = false;
  // The answer carries its plan when explain is set or the search took at
  // least this long (for the slow-query log).
  double plan_after_seconds = std::numeric_limits<double>::infinity();
};

struct Hit {
  float score = 0;
  Point point;  // id; payload and vectors as projected
};

struct StageTiming {
  std::string name;
  uint64_t candidates_in = 0;
  uint64_t candidates_out = 0;
  uint64_t distances = 0;
  double seconds = 0;
};

struct SearchResult {
  std::vector<Hit> hits;  // score descending, then id ascending
  Sequence applied_seq = 0;
  // Share of the exact best that the answer is expected to hold, by what was
  // measured after the builds. 1: exact. 0: not known.
  double expected_recall = 0;
  double seconds = 0;
  std::string plan;                 // see SearchQuery::plan_after_seconds
  std::vector<StageTiming> stages;  // always filled
};

}  // namespace sextant
