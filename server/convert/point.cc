// SPDX-License-Identifier: Apache-2.0
#include "server/convert/point.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {
namespace {

absl::Status CheckCount(absl::string_view field, int count, size_t highest) {
  if (count < 1 || static_cast<size_t>(count) > highest) {
    return InvalidField(
        field, absl::StrCat("1 to ", highest, " in a request, got ", count));
  }
  return absl::OkStatus();
}

// Names of a client are cut before they enter a path.
std::string VectorPath(absl::string_view map, absl::string_view field) {
  const bool long_name = field.size() > limits::kNameBytesMax;
  return absl::StrCat(map, "[", field.substr(0, limits::kNameBytesMax),
                      long_name ? "..." : "", "]");
}

absl::Status ToSparseVectors(const v1::Point& message, Point* point) {
  if (message.sparse_vectors().size() > limits::kSparseFieldsMax) {
    return InvalidField(
        "sparse_vectors",
        absl::StrCat("at most ", limits::kSparseFieldsMax, " vectors, got ",
                     message.sparse_vectors().size()));
  }
  for (const auto& [name, vector] : message.sparse_vectors()) {
    ASSIGN_OR_RETURN(
        std::vector<SparseEntry> entries,
        ToSparseEntries(vector, VectorPath("sparse_vectors", name)));
    point->sparse.push_back({name, std::move(entries)});
  }
  std::sort(point->sparse.begin(), point->sparse.end(),
            [](const NamedSparse& a, const NamedSparse& b) {
              return a.field < b.field;
            });
  return absl::OkStatus();
}

// Error paths are relative to the point: a path is made only when it is told.
absl::StatusOr<Point> ToPoint(const v1::Point& message) {
  Point point;
  ASSIGN_OR_RETURN(point.id, ToPointId(message.id(), "id"));
  if (message.vectors().empty() && message.sparse_vectors().empty()) {
    return InvalidField("vectors", "a point has at least one vector");
  }
  if (message.vectors().size() > limits::kVectorFieldsMax) {
    return InvalidField(
        "vectors", absl::StrCat("at most ", limits::kVectorFieldsMax,
                                " vectors, got ", message.vectors().size()));
  }
  point.vectors.reserve(message.vectors().size());
  for (const auto& [name, vector] : message.vectors()) {
    auto values = ToFloats(vector, "");
    if (!values.ok()) {
      return ToFloats(vector, VectorPath("vectors", name)).status();
    }
    point.vectors.push_back({name, *std::move(values)});
  }
  // A protobuf map has no order; with this one, of several errors the same one
  // is reported every time.
  std::sort(point.vectors.begin(), point.vectors.end(),
            [](const NamedVector& a, const NamedVector& b) {
              return a.field < b.field;
            });
  RETURN_IF_ERROR(ToSparseVectors(message, &point));
  if (message.payload().size() > limits::kPayloadBytesMax) {
    return InvalidField("payload",
                        absl::StrCat("at most ", limits::kPayloadBytesMax,
                                     " bytes, got ", message.payload().size()));
  }
  point.payload = message.payload();
  return point;
}

}  // namespace

absl::StatusOr<PointId> ToPointId(const v1::PointId& message,
                                  absl::string_view path) {
  switch (message.kind_case()) {
    case v1::PointId::kNum:
      return PointId(message.num());
    case v1::PointId::kStr:
      if (message.str().empty() || message.str().size() > limits::kIdBytesMax) {
        return InvalidField(path,
                            absl::StrCat("an id has 1 to ", limits::kIdBytesMax,
                                         " bytes, got ", message.str().size()));
      }
      return PointId(message.str());
    case v1::PointId::KIND_NOT_SET:
      break;
  }
  return InvalidField(path, "required: `num` or `str`");
}

absl::StatusOr<std::vector<PointId>> ToPointIds(
    const google::protobuf::RepeatedPtrField<v1::PointId>& messages) {
  RETURN_IF_ERROR(CheckCount("ids", messages.size(), limits::kIdsPerCallMax));
  std::vector<PointId> ids;
  ids.reserve(static_cast<size_t>(messages.size()));
  for (const v1::PointId& message : messages) {
    ASSIGN_OR_RETURN(PointId id,
                     ToPointId(message, absl::StrCat("ids[", ids.size(), "]")));
    ids.push_back(std::move(id));
  }
  return ids;
}

absl::StatusOr<std::vector<float>> ToFloats(const v1::Vector& message,
                                            absl::string_view path) {
  const std::string& raw = message.raw();
  if (raw.empty()) {
    if (message.values().empty()) {
      return InvalidField(path, "required: `values` or `raw`");
    }
    return std::vector<float>(message.values().begin(), message.values().end());
  }
  if (!message.values().empty()) {
    return InvalidField(path, "set either `values` or `raw`, not both");
  }
  if (raw.size() % sizeof(float) != 0) {
    return InvalidField(
        absl::StrCat(path, ".raw"),
        absl::StrCat("little-endian floats of 4 bytes each, got ", raw.size(),
                     " bytes"));
  }
  // base/coding.h asserts a little-endian machine.
  std::vector<float> values(raw.size() / sizeof(float));
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

absl::StatusOr<std::vector<SparseEntry>> ToSparseEntries(
    const v1::SparseVector& message, absl::string_view path) {
  const int count = message.indices_size();
  if (count != message.weights_size()) {
    return InvalidField(path, absl::StrCat("as many weights as indices, got ",
                                           count, " indices and ",
                                           message.weights_size(), " weights"));
  }
  if (static_cast<size_t>(count) > limits::kSparseEntriesMax) {
    return InvalidField(path,
                        absl::StrCat("at most ", limits::kSparseEntriesMax,
                                     " entries, got ", count));
  }
  std::vector<SparseEntry> entries;
  entries.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    entries.push_back({message.indices(i), message.weights(i)});
  }
  return entries;
}

absl::StatusOr<std::vector<Point>> ToPoints(
    const google::protobuf::RepeatedPtrField<v1::Point>& messages) {
  RETURN_IF_ERROR(
      CheckCount("points", messages.size(), limits::kPointsPerWriteMax));
  std::vector<Point> points;
  points.reserve(static_cast<size_t>(messages.size()));
  for (const v1::Point& message : messages) {
    auto point = ToPoint(message);
    if (!point.ok()) {
      return PrefixField(absl::StrCat("points[", points.size(), "]."),
                         point.status());
    }
    points.push_back(*std::move(point));
  }
  return points;
}

absl::StatusOr<ReturnedParts> ToReturnedParts(const v1::Projection& message) {
  ReturnedParts parts;
  parts.raw_vectors = message.raw_vectors();
  parts.projection.payload = message.payload();
  constexpr size_t kNamesMax =
      limits::kVectorFieldsMax + limits::kSparseFieldsMax;
  if (static_cast<size_t>(message.vectors_size()) > kNamesMax) {
    return InvalidField("projection.vectors",
                        absl::StrCat("at most ", kNamesMax, " names, got ",
                                     message.vectors_size()));
  }
  for (const std::string& name : message.vectors()) {
    if (name == "*") {
      parts.projection.all_vectors = true;
    } else {
      parts.projection.vectors.push_back(name);
    }
  }
  if (parts.projection.all_vectors) {
    parts.projection.vectors.clear();
  }
  return parts;
}

void FromPointId(const PointId& id, v1::PointId* message) {
  if (const auto* number = std::get_if<uint64_t>(&id)) {
    message->set_num(*number);
  } else {
    message->set_str(std::get<std::string>(id));
  }
}

template <typename Message>
void FromVectors(const Point& point, bool raw_vectors, Message* message) {
  for (const NamedVector& vector : point.vectors) {
    v1::Vector& wire = (*message->mutable_vectors())[vector.field];
    if (raw_vectors) {
      wire.mutable_raw()->assign(
          reinterpret_cast<const char*>(vector.values.data()),
          vector.values.size() * sizeof(float));
    } else {
      wire.mutable_values()->Add(vector.values.begin(), vector.values.end());
    }
  }
  for (const NamedSparse& vector : point.sparse) {
    v1::SparseVector& wire = (*message->mutable_sparse_vectors())[vector.field];
    const auto count = static_cast<int>(vector.entries.size());
    wire.mutable_indices()->Reserve(count);
    wire.mutable_weights()->Reserve(count);
    for (const SparseEntry& entry : vector.entries) {
      wire.add_indices(entry.index);
      wire.add_weights(entry.weight);
    }
  }
}

template void FromVectors(const Point& point, bool raw_vectors,
                          v1::Point* message);
template void FromVectors(const Point& point, bool raw_vectors,
                          v1::Hit* message);

void FromPoint(Point point, bool raw_vectors, v1::Point* message) {
  FromPointId(point.id, message->mutable_id());
  message->set_payload(std::move(point.payload));
  FromVectors(point, raw_vectors, message);
}

}  // namespace sextant
