// SPDX-License-Identifier: Apache-2.0
//
// Checks of a query against the schema, in the words of the request, and what
// follows from a checked one.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/schema.h"
#include "engine/search_query.h"
#include "ranking/fusion.h"

namespace sextant {

// Of what the final scores of a checked query are made, as far as it matters
// for gaps between them: places in lists alone.
bool IsRankedByPlaces(const SearchQuery& query);

// One dense source and nothing that changes its scores: what finds the best
// offset + limit points finds the answer.
bool IsPlainDense(const SearchQuery& query);

// Checks a query against the schema: sources, limit, offset, recall target,
// fields, target vectors, fusions, boosts, projection. Paths are those of the
// request ("sources[0].dense.vector").
absl::Status ValidateQuery(const Schema& schema, const SearchQuery& query);

// The fields that a text source asks; InvalidField ("fields[1].name") for those
// that the schema lacks. Refers to the schema.
absl::StatusOr<std::vector<TextSearchField>> TextFieldsOf(
    const Schema& schema, const TextSource& source);

// The position of the field of a sparse source; InvalidField ("field") where
// the schema lacks it.
absl::StatusOr<uint16_t> SparseFieldOf(const Schema& schema,
                                       const SparseSource& source);

const SourceShare& ShareOf(const Source& source);

// How checked sources are fused; InvalidField ("sources[1].normaliser") where
// a normaliser has no theoretical minimum.
absl::StatusOr<Fusion> FusionOf(const Schema& schema,
                                const std::vector<Source>& sources,
                                const FusionChoice& choice);

// The position of the field of a source that was checked.
uint16_t VectorFieldOf(const Schema& schema, const DenseSource& source);

// Checks the names of a projection.
absl::Status ValidateProjection(const Schema& schema,
                                const Projection& projection,
                                absl::string_view path);

}  // namespace sextant
