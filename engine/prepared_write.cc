// SPDX-License-Identifier: Apache-2.0
#include "engine/prepared_write.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/payload.h"
#include "index/text/sparse_index.h"

namespace sextant {
namespace {

std::string VectorPath(const std::string& field) {
  return absl::StrCat("vectors[", ShownText(field, limits::kNameBytesMax), "]");
}

// Whether nothing is wrong with a vector, without a branch for each number.
// As integers, the absolute values of floats are in the order of the values,
// then infinity, then what is no number.
bool IsValidVector(const VectorFieldSchema& field,
                   std::span<const float> values) {
  constexpr size_t kLanes = 16;
  constexpr uint32_t kAbsolute = 0x7fffffff;
  constexpr uint32_t kInfinity = 0x7f800000;
  std::array<uint32_t, kLanes> largest{};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const uint32_t bits =
          std::bit_cast<uint32_t>(values[i + lane]) & kAbsolute;
      largest[lane] = std::max(largest[lane], bits);
    }
  }
  for (; i < values.size(); ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(values[i]) & kAbsolute;
    largest[0] = std::max(largest[0], bits);
  }
  const uint32_t most = *std::max_element(largest.begin(), largest.end());
  const bool cosine = field.metric == Metric::kCosine;
  return values.size() == field.dimension &&
         (cosine ? most > 0 && most < kInfinity
                 : most <= std::bit_cast<uint32_t>(limits::kMagnitudeMax));
}

static_assert(limits::kSparseEntriesMax == kSparseEntriesMax);

std::string SparsePath(const std::string& field) {
  return absl::StrCat("sparse_vectors[",
                      ShownText(field, limits::kNameBytesMax), "]");
}

// Brings the vectors into the order of fields and of indexes.
absl::StatusOr<FieldSparses> PrepareSparse(const Schema& schema,
                                           std::vector<NamedSparse>* vectors) {
  FieldSparses prepared;
  for (NamedSparse& vector : *vectors) {
    const std::optional<uint16_t> field = schema.FindSparseField(vector.field);
    if (!field.has_value()) {
      return InvalidField(SparsePath(vector.field),
                          "the collection has no such sparse field");
    }
    RETURN_IF_ERROR(NormalizeSparse(vector.entries, SparsePath(vector.field)));
    prepared.push_back({*field, vector.entries});
  }
  std::sort(prepared.begin(), prepared.end(),
            [](const FieldSparse& a, const FieldSparse& b) {
              return a.field < b.field;
            });
  for (size_t i = 1; i < prepared.size(); ++i) {
    if (prepared[i].field == prepared[i - 1].field) {
      return InvalidField(
          SparsePath(schema.sparse_fields[prepared[i].field].name),
          "given twice");
    }
  }
  return prepared;
}

absl::StatusOr<FieldVectors> PrepareVectors(
    const Schema& schema, const std::vector<NamedVector>& vectors) {
  FieldVectors prepared;
  prepared.reserve(std::min(vectors.size(), schema.vector_fields.size()));
  for (const NamedVector& vector : vectors) {
    const std::optional<uint16_t> field = schema.FindVectorField(vector.field);
    if (!field.has_value()) {
      return InvalidField(VectorPath(vector.field),
                          "the collection has no such vector field");
    }
    const VectorFieldSchema& definition = schema.vector_fields[*field];
    if (!IsValidVector(definition, vector.values)) {
      RETURN_IF_ERROR(
          ValidateVector(definition, vector.values, VectorPath(vector.field)));
    }
    prepared.push_back({*field, vector.values});
  }
  std::sort(prepared.begin(), prepared.end(),
            [](const FieldVector& a, const FieldVector& b) {
              return a.field < b.field;
            });
  for (size_t i = 1; i < prepared.size(); ++i) {
    if (prepared[i].field == prepared[i - 1].field) {
      return InvalidField(
          VectorPath(schema.vector_fields[prepared[i].field].name),
          "given twice");
    }
  }
  return prepared;
}

// Error paths are relative to the point: a path is made only when it is told.
absl::StatusOr<PreparedPoint> PreparePoint(const Schema& schema,
                                           const PayloadReader& payloads,
                                           Point point) {
  RETURN_IF_ERROR(ValidateId(schema.id_kind, point.id, "id"));
  PreparedPoint prepared;
  PayloadTexts texts;
  ASSIGN_OR_RETURN(prepared.values,
                   payloads.Read(point.payload, "payload", &texts));
  ASSIGN_OR_RETURN(prepared.tokens, AnalyzeTexts(schema, texts, "payload"));
  prepared.point = std::move(point);
  prepared.id = EncodeId(prepared.point.id);
  if (prepared.point.vectors.empty() && prepared.point.sparse.empty()) {
    return InvalidField("vectors", "a point has at least one vector");
  }
  ASSIGN_OR_RETURN(prepared.vectors,
                   PrepareVectors(schema, prepared.point.vectors));
  ASSIGN_OR_RETURN(prepared.sparse,
                   PrepareSparse(schema, &prepared.point.sparse));
  prepared.hash = HashPoint(prepared.View());
  return prepared;
}

size_t SizeBytes(const PreparedPoint& point) {
  size_t size = point.id.size() + point.point.payload.size();
  for (const FieldVector& vector : point.vectors) {
    size += vector.values.size_bytes();
  }
  for (const FieldSparse& vector : point.sparse) {
    size += vector.entries.size_bytes();
  }
  return size;
}

// Keeps the last element of each id, in the order of the last occurrences.
template <typename T, typename IdOf>
void KeepLast(std::vector<T>* items, IdOf id_of) {
  // Ascending, as of an import, none is there twice.
  const auto not_before = std::adjacent_find(
      items->begin(), items->end(),
      [&](const T& a, const T& b) { return id_of(a) >= id_of(b); });
  if (not_before == items->end()) {
    return;
  }
  absl::flat_hash_set<absl::string_view> seen;
  seen.reserve(items->size());
  std::vector<bool> keep(items->size());
  bool repeated = false;
  for (size_t i = items->size(); i-- > 0;) {
    keep[i] = seen.insert(id_of((*items)[i])).second;
    repeated = repeated || !keep[i];
  }
  if (!repeated) {
    return;
  }
  std::vector<T> kept;
  for (size_t i = 0; i < items->size(); ++i) {
    if (keep[i]) {
      kept.push_back(std::move((*items)[i]));
    }
  }
  *items = std::move(kept);
}

absl::Status ValidateCount(absl::string_view field, size_t count,
                           size_t highest) {
  if (count == 0 || count > highest) {
    return InvalidField(
        field, absl::StrCat("1 to ", highest, " in a request, got ", count));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateVector(const VectorFieldSchema& field,
                            std::span<const float> values,
                            absl::string_view path) {
  if (IsValidVector(field, values)) {
    return absl::OkStatus();
  }
  if (values.size() != field.dimension) {
    return InvalidField(path, absl::StrCat("expected ", field.dimension,
                                           " numbers, got ", values.size()));
  }
  bool all_zero = true;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return InvalidField(
          path, absl::StrCat("number ", i, " is ",
                             std::isnan(values[i]) ? "NaN" : "infinite",
                             "; all must be finite"));
    }
    if (field.metric != Metric::kCosine &&
        std::abs(values[i]) > limits::kMagnitudeMax) {
      return InvalidField(
          path, absl::StrCat("number ", i, " is ", values[i],
                             "; under this metric numbers lie between -1e15 "
                             "and 1e15, so that scores stay finite"));
    }
    all_zero = all_zero && values[i] == 0;
  }
  if (all_zero && field.metric == Metric::kCosine) {
    return InvalidField(path,
                        "all zeros; a zero vector has no direction, which the "
                        "cosine metric needs");
  }
  return absl::OkStatus();
}

absl::StatusOr<PreparedWrite> PrepareUpsert(const Schema& schema,
                                            std::vector<Point> points,
                                            const RequestContext& context) {
  RETURN_IF_ERROR(
      ValidateCount("points", points.size(), limits::kPointsPerWriteMax));
  const PayloadReader payloads(schema.payload_fields, schema.text_fields);
  PreparedWrite write;
  write.text_indexes = TextIndexIds(schema);
  write.upserts.reserve(points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    if (i % 256 == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    auto point = PreparePoint(schema, payloads, std::move(points[i]));
    if (!point.ok()) {
      return PrefixField(absl::StrCat("points[", i, "]."), point.status());
    }
    write.upserts.push_back(*std::move(point));
  }
  KeepLast(&write.upserts, [](const PreparedPoint& point) -> absl::string_view {
    return point.id;
  });
  for (const PreparedPoint& point : write.upserts) {
    write.size_bytes += SizeBytes(point);
  }
  return write;
}

absl::StatusOr<PreparedWrite> PrepareDelete(const Schema& schema,
                                            std::span<const PointId> ids) {
  RETURN_IF_ERROR(ValidateCount("ids", ids.size(), limits::kIdsPerCallMax));
  PreparedWrite write;
  write.deletes.reserve(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    RETURN_IF_ERROR(
        ValidateId(schema.id_kind, ids[i], absl::StrCat("ids[", i, "]")));
    write.deletes.push_back(EncodeId(ids[i]));
    write.size_bytes += write.deletes.back().size();
  }
  KeepLast(&write.deletes,
           [](const std::string& id) -> absl::string_view { return id; });
  return write;
}

}  // namespace sextant
