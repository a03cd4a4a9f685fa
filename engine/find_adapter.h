// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"

#include "engine/search_query.h"
#include "engine/search_target.h"

namespace sextant {

// An adapter, bound to one search.
struct BoundAdapter {
  // Relevant are points with this cosine or more; AdapterCurve::kAll, kNone.
  double least_cosine = 0;
  // "adapter a version 3, power a=21.4 b=-9.1 p=1.8, threshold 0.12".
  std::string text;
};

// What the adapter of the query's cut-off, if it has one, says of `vector`, the
// query's, of length 1. InvalidField for an adapter that is not one of the
// searched field.
absl::StatusOr<std::optional<BoundAdapter>> FindAdapter(
    const SearchTarget& target, const SearchQuery& query,
    std::span<const float> vector);

}  // namespace sextant
