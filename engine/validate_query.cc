// SPDX-License-Identifier: Apache-2.0
//
// Checks of a query against the schema, in the words of the request.

#include <cmath>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "engine/limits.h"
#include "engine/plan.h"
#include "engine/prepared_write.h"

namespace sextant {
namespace {

absl::Status ValidatePage(const SearchQuery& query) {
  if (query.limit == 0 || query.limit > limits::kHitsMax) {
    return InvalidField("limit", absl::StrCat("must be 1 to ", limits::kHitsMax,
                                              ", got ", query.limit));
  }
  if (query.offset > limits::kHitsMax - query.limit) {
    return InvalidField(
        "offset",
        absl::StrCat("offset + limit must be at most ", limits::kHitsMax,
                     ", got ", query.offset, " + ", query.limit));
  }
  return absl::OkStatus();
}

absl::Status ValidateRecallTarget(const SearchQuery& query) {
  if (!(query.recall_target >= 0 && query.recall_target <= 1)) {
    return InvalidField(
        "recall_target",
        absl::StrCat(
            "must be above 0 and at most 1, or 0 for the default, got ",
            query.recall_target));
  }
  return absl::OkStatus();
}

absl::Status ValidateMinScore(const SearchQuery& query) {
  if (query.min_score.has_value() && !std::isfinite(*query.min_score)) {
    return InvalidField("cut_off.min_score",
                        absl::StrCat("must be finite, got ", *query.min_score));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> ResolveField(const Schema& schema,
                                      const std::string& name,
                                      absl::string_view path) {
  if (name.empty()) {
    if (schema.vector_fields.size() == 1) {
      return uint16_t{0};
    }
    return InvalidField(path,
                        "the collection has several vector fields; name "
                        "the one to search");
  }
  const std::optional<uint16_t> field = schema.FindVectorField(name);
  if (!field.has_value()) {
    return InvalidField(path, "the collection has no such vector field");
  }
  return *field;
}

// There is one source, so its error paths are known before there is an error.
#define SEXTANT_DENSE "sources[0].dense"

absl::StatusOr<uint16_t> ValidateDense(const Schema& schema,
                                       const DenseSource& source) {
  ASSIGN_OR_RETURN(const uint16_t field,
                   ResolveField(schema, source.field, SEXTANT_DENSE ".field"));
  if (source.ef > limits::kEfMax) {
    return InvalidField(
        SEXTANT_DENSE ".ef",
        absl::StrCat("must be at most ", limits::kEfMax, ", got ", source.ef));
  }
  if (source.exact && source.ef != 0) {
    return InvalidField(SEXTANT_DENSE ".ef", "has no meaning with exact");
  }
  if (const auto* id = std::get_if<PointId>(&source.target)) {
    RETURN_IF_ERROR(
        ValidateId(schema.id_kind, *id, SEXTANT_DENSE ".stored_point"));
    return field;
  }
  RETURN_IF_ERROR(ValidateVector(schema.vector_fields[field],
                                 std::get<std::vector<float>>(source.target),
                                 SEXTANT_DENSE ".vector"));
  return field;
}

#undef SEXTANT_DENSE

}  // namespace

absl::StatusOr<uint16_t> ValidateQuery(const Schema& schema,
                                       const SearchQuery& query) {
  if (query.sources.size() != 1) {
    return InvalidField("sources", absl::StrCat("exactly one source, got ",
                                                query.sources.size()));
  }
  RETURN_IF_ERROR(ValidatePage(query));
  RETURN_IF_ERROR(ValidateRecallTarget(query));
  RETURN_IF_ERROR(ValidateMinScore(query));
  RETURN_IF_ERROR(ValidateProjection(schema, query.projection, "projection"));
  const auto& source = std::get<DenseSource>(query.sources.front());
  if (query.recall_target != 0 && (source.ef != 0 || source.exact)) {
    return InvalidField("recall_target",
                        absl::StrCat("not together with sources[0].dense.",
                                     source.exact ? "exact" : "ef",
                                     ", which says how hard to try"));
  }
  return ValidateDense(schema, source);
}

absl::Status ValidateProjection(const Schema& schema,
                                const Projection& projection,
                                absl::string_view path) {
  for (size_t i = 0; i < projection.vectors.size(); ++i) {
    if (!schema.FindVectorField(projection.vectors[i]).has_value()) {
      return InvalidField(absl::StrCat(path, ".vectors[", i, "]"),
                          "the collection has no such vector field");
    }
  }
  return absl::OkStatus();
}

}  // namespace sextant
