// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/schema.h"
#include "engine/snapshot.h"
#include "filters/bound_filter.h"
#include "filters/filter.h"
#include "index/columns/document_set.h"

namespace sextant {

// As BindFilter; fields are positions in Schema::payload_fields.
absl::StatusOr<BoundFilter> BindFilterTo(const Schema& schema,
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

// The rows of each segment, in their order.
absl::StatusOr<std::vector<DocumentSet>> MatchingRows(
    const BoundFilter& filter, const Snapshot& snapshot,
    const RequestContext& context);

}  // namespace sextant
