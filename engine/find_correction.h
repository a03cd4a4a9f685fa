// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "engine/correction.h"
#include "engine/search_query.h"
#include "engine/search_target.h"

namespace sextant {

// What the scores of a source are corrected by; nothing without a normaliser.
// For a dynamic one this searches for the point that is nearest by the raw
// score, among all points whatever the query's filter is: gates are about the
// query, not about who may answer it. `path` is that of the source in the
// request, for errors.
absl::StatusOr<std::optional<Correction>> FindCorrection(
    const SearchTarget& target, const DenseSource& source,
    std::span<const float> vector, absl::string_view path,
    const RequestContext& context);

}  // namespace sextant
