// SPDX-License-Identifier: Apache-2.0
//
// Points between the wire and the engine. `path` is where the message sits in
// the request; errors are InvalidField with a path below it. What depends on a
// collection's schema (dimension, kind of id, known fields) is the engine's to
// check; what is wrong with the message alone is found here.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"

#include "engine/point.h"
#include "sextant/v1/point.pb.h"

namespace sextant {

absl::StatusOr<PointId> ToPointId(const v1::PointId& message,
                                  absl::string_view path);

// 1 to kIdsPerCallMax ids.
absl::StatusOr<std::vector<PointId>> ToPointIds(
    const google::protobuf::RepeatedPtrField<v1::PointId>& messages);

// Either encoding; both or a broken `raw` is an error.
absl::StatusOr<std::vector<float>> ToFloats(const v1::Vector& message,
                                            absl::string_view path);

// The entries in the order of the message; what depends on nothing else is
// checked: as many weights as indices, and not too many.
absl::StatusOr<std::vector<SparseEntry>> ToSparseEntries(
    const v1::SparseVector& message, absl::string_view path);

// 1 to kPointsPerWriteMax points.
absl::StatusOr<std::vector<Point>> ToPoints(
    const google::protobuf::RepeatedPtrField<v1::Point>& messages);

// What to return, and in which encoding.
struct ReturnedParts {
  Projection projection;
  bool raw_vectors = false;
};
absl::StatusOr<ReturnedParts> ToReturnedParts(const v1::Projection& message);

void FromPointId(const PointId& id, v1::PointId* message);
void FromPoint(Point point, bool raw_vectors, v1::Point* message);

// Fills the maps `vectors` and `sparse_vectors` of a Point or a Hit.
template <typename Message>
void FromVectors(const Point& point, bool raw_vectors, Message* message);

}  // namespace sextant
