// SPDX-License-Identifier: Apache-2.0
//
// The text indexes of a segment under construction: merged from those of its
// inputs; where an input has none, made of the stored texts.

#pragma once

#include <vector>

#include "absl/status/status.h"

#include "base/context.h"
#include "engine/schema.h"
#include "engine/segment_builder.h"
#include "index/metric.h"

namespace sextant {

// New ordinal of every old row, by input; kDroppedRow where it was dead.
using OrdinalMaps = std::vector<std::vector<Ordinal>>;

// All of them, of a merge.
absl::Status BuildTexts(const Schema& schema, const OrdinalMaps& maps,
                        const SegmentBuildOptions& options,
                        const RequestContext& context, SegmentBuild* build);

// What the only input lacks; its rows keep their ordinals.
absl::Status FillTexts(const Schema& schema, const SegmentBuildOptions& options,
                       const RequestContext& context, SegmentBuild* build);

}  // namespace sextant
