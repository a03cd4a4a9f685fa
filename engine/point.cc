// SPDX-License-Identifier: Apache-2.0
#include "engine/point.h"

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/utf8.h"
#include "engine/limits.h"

namespace sextant {

std::string ToString(const PointId& id) {
  if (const auto* number = std::get_if<uint64_t>(&id)) {
    return absl::StrCat(*number);
  }
  constexpr size_t kShownMax = 80;
  return absl::StrCat("\"", ShownText(std::get<std::string>(id), kShownMax),
                      "\"");
}

std::string EncodeId(const PointId& id) {
  if (const auto* number = std::get_if<uint64_t>(&id)) {
    std::string encoded;
    AppendBigEndian<uint64_t>(&encoded, *number);
    return encoded;
  }
  return std::get<std::string>(id);
}

PointId DecodeId(IdKind kind, absl::string_view encoded) {
  if (kind == IdKind::kNumber) {
    CHECK_EQ(encoded.size(), sizeof(uint64_t));
    return LoadBigEndian<uint64_t>(encoded.data());
  }
  return std::string(encoded);
}

absl::Status ValidateId(IdKind kind, const PointId& id,
                        absl::string_view field) {
  const auto* text = std::get_if<std::string>(&id);
  if (kind == IdKind::kNumber) {
    if (text == nullptr) {
      return absl::OkStatus();
    }
    return InvalidField(
        field, absl::StrCat("this collection's ids are unsigned 64-bit "
                            "numbers, got the string ",
                            ToString(id)));
  }
  if (text == nullptr) {
    return InvalidField(field,
                        absl::StrCat("this collection's ids are strings, got "
                                     "the number ",
                                     ToString(id)));
  }
  if (text->empty() || text->size() > limits::kIdBytesMax) {
    return InvalidField(field,
                        absl::StrCat("an id has 1 to ", limits::kIdBytesMax,
                                     " bytes, got ", text->size()));
  }
  if (!IsValidUtf8(*text)) {
    return InvalidField(field, "not valid UTF-8");
  }
  return absl::OkStatus();
}

uint64_t SizeBytes(const Point& point) {
  uint64_t bytes = point.payload.size();
  for (const NamedVector& vector : point.vectors) {
    bytes += vector.values.size() * sizeof(float);
  }
  for (const NamedSparse& vector : point.sparse) {
    bytes += vector.entries.size() * sizeof(SparseEntry);
  }
  return bytes;
}

}  // namespace sextant
