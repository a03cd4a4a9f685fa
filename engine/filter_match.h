// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/snapshot.h"
#include "filters/bound_filter.h"
#include "filters/filter.h"
#include "index/columns/document_set.h"
#include "index/window_index.h"

namespace sextant {

// kFailedPrecondition when some points do not have the values of this payload
// field yet (Collection::AddPayloadField).
absl::Status CheckFilled(const Snapshot& snapshot, size_t field);

// As BindFilter; fields are positions in Schema::payload_fields. Each of them
// is filled (CheckFilled).
absl::StatusOr<BoundFilter> BindFilterTo(const Snapshot& snapshot,
                                         const Filter& filter);

// The live rows of a segment that the filter lets through: by its columns when
// it is sealed, else by a look at every row. Polls `context`.
absl::StatusOr<DocumentSet> MatchingRows(const BoundFilter& filter,
                                         const SegmentView& view,
                                         const RequestContext& context);

// How many they are; at once where columns know it.
absl::StatusOr<uint64_t> CountMatchingRows(const BoundFilter& filter,
                                           const SegmentView& view,
                                           const RequestContext& context);

// What a filter lets through in one segment, for a search by a vector field.
struct SegmentMatch {
  // Where the filter, or a part of its outermost and, is a range of a field
  // with a window, and approximate searches will do: its place in the order of
  // that field. Of several the one with the fewest rows. Dead rows are inside,
  // too.
  const WindowIndex* window = nullptr;
  RankWindow ranks;
  // The filter is nothing but that range.
  bool is_window = false;
  // Else: the live rows.
  DocumentSet rows;

  uint64_t count() const { return is_window ? ranks.count : rows.count(); }
};

// Of each segment, in their order. `vector_field` is what the search is by;
// without it there are no windows.
absl::StatusOr<std::vector<SegmentMatch>> MatchSegments(
    const BoundFilter& filter, const Snapshot& snapshot,
    std::optional<uint16_t> vector_field, const RequestContext& context);

}  // namespace sextant
