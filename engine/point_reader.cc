// SPDX-License-Identifier: Apache-2.0
#include "engine/point_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace sextant {

absl::StatusOr<std::vector<std::optional<Point>>> PointReader::Read(
    const StoreView* view, std::span<const absl::string_view> ids,
    const Projection& projection) const {
  ASSIGN_OR_RETURN(std::vector<std::optional<StoredPoint>> stored,
                   store_->ReadPoints(view, collection_, ids,
                                      {.payload = projection.payload,
                                       .vectors = projection.any_vectors()}));
  std::vector<std::optional<Point>> points(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (stored[i].has_value()) {
      points[i] = Project(ids[i], *std::move(stored[i]), projection);
    }
  }
  return points;
}

absl::Status PointReader::ReadEach(
    const Wanted& wanted, const RequestContext& context,
    absl::FunctionRef<bool(size_t, Point)> take) const {
  constexpr size_t kChunk = 64;
  for (size_t begin = 0; begin < wanted.ids.size(); begin += kChunk) {
    RETURN_IF_ERROR(context.Check());
    const auto ids =
        wanted.ids.subspan(begin, std::min(kChunk, wanted.ids.size() - begin));
    ASSIGN_OR_RETURN(std::vector<std::optional<Point>> points,
                     Read(wanted.view, ids, wanted.projection));
    for (size_t i = 0; i < ids.size(); ++i) {
      if (!points[i].has_value()) {
        return absl::InternalError(
            absl::StrCat("point ", ToString(DecodeId(schema_->id_kind, ids[i])),
                         " is in the index but not in the store"));
      }
      if (!take(begin + i, *std::move(points[i]))) {
        return absl::OkStatus();
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<StoredPoint> PointReader::ReadVectors(const StoreView* view,
                                                     const PointId& id) const {
  const std::string encoded = EncodeId(id);
  const absl::string_view ids[] = {encoded};
  ASSIGN_OR_RETURN(std::vector<std::optional<StoredPoint>> stored,
                   store_->ReadPoints(view, collection_, ids,
                                      {.payload = false, .vectors = true}));
  if (!stored[0].has_value()) {
    return absl::NotFoundError(absl::StrCat("no point ", ToString(id)));
  }
  return *std::move(stored[0]);
}

absl::StatusOr<std::vector<float>> PointReader::ReadVector(
    const StoreView* view, const PointId& id, uint16_t field) const {
  ASSIGN_OR_RETURN(StoredPoint stored, ReadVectors(view, id));
  for (StoredPoint::Field& vector : stored.vectors) {
    if (vector.field == field) {
      return std::move(vector.values);
    }
  }
  return absl::NotFoundError(absl::StrCat("point ", ToString(id),
                                          " has no vector ",
                                          schema_->vector_fields[field].name));
}

absl::StatusOr<std::vector<SparseEntry>> PointReader::ReadSparse(
    const StoreView* view, const PointId& id, uint16_t field) const {
  ASSIGN_OR_RETURN(StoredPoint stored, ReadVectors(view, id));
  for (StoredPoint::SparseField& vector : stored.sparse) {
    if (vector.field == field) {
      return std::move(vector.entries);
    }
  }
  return absl::NotFoundError(absl::StrCat("point ", ToString(id),
                                          " has no sparse vector ",
                                          schema_->sparse_fields[field].name));
}

Point PointReader::Project(absl::string_view id, StoredPoint stored,
                           const Projection& projection) const {
  Point point;
  point.id = DecodeId(schema_->id_kind, id);
  if (projection.payload) {
    point.payload = std::move(stored.payload);
  }
  if (!projection.any_vectors()) {
    return point;
  }
  const auto wants = [&projection](const std::string& name) {
    return projection.all_vectors ||
           std::find(projection.vectors.begin(), projection.vectors.end(),
                     name) != projection.vectors.end();
  };
  for (StoredPoint::Field& vector : stored.vectors) {
    const std::string& name = schema_->vector_fields[vector.field].name;
    if (wants(name)) {
      point.vectors.push_back({name, std::move(vector.values)});
    }
  }
  for (StoredPoint::SparseField& vector : stored.sparse) {
    const std::string& name = schema_->sparse_fields[vector.field].name;
    if (wants(name)) {
      point.sparse.push_back({name, std::move(vector.entries)});
    }
  }
  return point;
}

}  // namespace sextant
