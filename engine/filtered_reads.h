// SPDX-License-Identifier: Apache-2.0
//
// Reads by filter that need no vectors: pages of points, and counts by value.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/point.h"
#include "engine/snapshot.h"
#include "filters/filter.h"
#include "index/columns/field_value.h"

namespace sextant {

// In which order points come: of the values of a number field, then of ids.
struct FieldOrder {
  std::string field;  // not a keyword field
  bool descending = false;
};

// Where a page of points begins: after this one.
struct PagePosition {
  PointId id;
  NumberKey key = 0;  // of the field that gives the order
};

struct PageQuery {
  std::optional<Filter> filter;  // none: every point
  // None: by id. A point without the field has no place in an order by it; of
  // several values the first in the order counts.
  std::optional<FieldOrder> order;
  std::optional<PagePosition> after;
  uint32_t limit = 0;  // 1 to limits::kScrollPageMax
};

// A page's points by encoded id, and where each lies.
struct IdPage {
  struct Entry {
    std::string id;
    NumberKey key = 0;
  };
  std::vector<Entry> entries;
  bool more = false;
};

// InvalidField with paths like "filter.range.field", "order_by.field";
// kFailedPrecondition as BindFilterTo.
absl::StatusOr<IdPage> FindPage(const Snapshot& snapshot,
                                const PageQuery& query,
                                const RequestContext& context);

struct FacetQuery {
  std::string field;
  std::optional<Filter> filter;
  uint32_t limit = 0;  // 1 to limits::kFacetsMax
};

struct FacetCounts {
  FieldType type = FieldType::kKeyword;
  // Most points first, then by value. A point counts once for each value.
  std::vector<std::pair<FieldValue, uint64_t>> values;
  uint64_t distinct = 0;  // values that any point has
  uint64_t points = 0;    // that the filter lets through
  uint64_t absent = 0;    // of these, without the field
};

// Exact.
absl::StatusOr<FacetCounts> CountValues(const Snapshot& snapshot,
                                        const FacetQuery& query,
                                        const RequestContext& context);

}  // namespace sextant
