// SPDX-License-Identifier: Apache-2.0
//
// Points as callers of the engine see them.

#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/sparse_entry.h"

namespace sextant {

enum class IdKind : uint8_t { kNumber = 1, kString = 2 };

// The identity of a point in its collection.
using PointId = std::variant<uint64_t, std::string>;

// For messages: 17 or "abc" (control characters escaped, cut at 80 bytes).
std::string ToString(const PointId& id);

// Order-preserving bytes: eight bytes big-endian, or the string itself.
std::string EncodeId(const PointId& id);
// `encoded` was made by EncodeId with an id of this kind.
PointId DecodeId(IdKind kind, absl::string_view encoded);
// InvalidField(`field`, ...) when the id is of the wrong kind, empty, over-long
// or not UTF-8.
absl::Status ValidateId(IdKind kind, const PointId& id,
                        absl::string_view field);

struct NamedVector {
  std::string field;
  std::vector<float> values;
};

struct NamedSparse {
  std::string field;
  std::vector<SparseEntry> entries;
};

struct Point {
  PointId id;
  std::vector<NamedVector> vectors;
  std::string payload;  // JSON object, or empty
  std::vector<NamedSparse> sparse = {};
};

// Of payload and vectors.
uint64_t SizeBytes(const Point& point);

// What to read of a point besides its id.
struct Projection {
  bool payload = false;
  bool all_vectors = false;
  std::vector<std::string> vectors;  // names, of both kinds, when not all
  bool any_vectors() const { return all_vectors || !vectors.empty(); }
};

}  // namespace sextant
