// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "index/metric.h"
#include "index/text/text_index.h"
#include "index/text/text_index_builder.h"

namespace sextant {

// A row that a merge leaves out.
inline constexpr Ordinal kDroppedRow = std::numeric_limits<Ordinal>::max();

struct TextMergeSource {
  const TextIndex* index = nullptr;
  // By row of the source: its row in the result, or kDroppedRow.
  std::span<const Ordinal> new_rows;
};

// One index of the rows of several, without their texts: as TextIndexBuilder
// would make of the rows that are left. No two rows of the sources get the same
// new row (kInvalidArgument). Positions are kept where every source has them.
// Memory: the result, and the postings of one term at a time.
absl::StatusOr<std::string> MergeTextIndexes(
    std::span<const TextMergeSource> sources, uint32_t rows,
    const RequestContext& context);

}  // namespace sextant
