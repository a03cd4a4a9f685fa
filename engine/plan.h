// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "engine/schema.h"
#include "engine/search_query.h"

namespace sextant {

enum class SearchMethod { kScan, kGraph };

// How one segment is searched.
struct SegmentPlan {
  uint32_t number = 0;
  bool growing = false;
  uint64_t rows = 0;  // vector rows of the field
  uint64_t dead = 0;
  SearchMethod method = SearchMethod::kScan;
};

// How the nearest points by a dense field are found.
struct DensePlan {
  uint16_t field = 0;
  uint32_t candidates = 0;  // best points kept, over all segments
  uint32_t ef = 0;          // beam width of graph searches
  std::vector<SegmentPlan> segments;
};

// A search bound to one snapshot. Printable: the same text is in explain, in
// the slow-query log and in tests.
struct Plan {
  DensePlan dense;
  uint32_t limit = 0;
  uint32_t offset = 0;
  bool fetch_payload = false;
  bool fetch_vectors = false;

  std::string ToString(const Schema& schema) const;
};

// What the planner may know of a segment, for the field that is searched.
struct SegmentFacts {
  uint32_t number = 0;
  bool growing = false;
  bool has_graph = false;
  uint64_t rows = 0;
  uint64_t dead = 0;
};

// A graph search with beam width ef computes some 15 to 20 distances per unit
// of ef, each a cache miss; a scan streams its rows and costs about half as
// much each. Below this many rows per unit of ef the scan, which is exact, is
// not slower.
inline constexpr uint64_t kScanRowsPerEf = 16;

// Pure: the same facts give the same plan. `query` was validated; `field` is
// the position of its vector field.
Plan PlanSearch(const SearchQuery& query, uint16_t field, uint32_t default_ef,
                const std::vector<SegmentFacts>& segments);

// Checks a query against the schema: number of sources, limit, offset, ef,
// field, target vector, projection. Paths are those of the request
// ("sources[0].dense.vector"). Returns the position of the vector field.
absl::StatusOr<uint16_t> ValidateQuery(const Schema& schema,
                                       const SearchQuery& query);

// Checks the names of a projection.
absl::Status ValidateProjection(const Schema& schema,
                                const Projection& projection,
                                absl::string_view path);

}  // namespace sextant
