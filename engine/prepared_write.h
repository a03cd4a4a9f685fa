// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/payload.h"
#include "engine/point.h"
#include "engine/schema.h"
#include "engine/text_change.h"
#include "engine/text_content.h"
#include "storage/records.h"

namespace sextant {

// Most points have one vector.
using FieldVectors = absl::InlinedVector<FieldVector, 1>;

using FieldSparses = absl::InlinedVector<FieldSparse, 1>;

// A valid point, ready to be stored and indexed.
struct PreparedPoint {
  std::string id;  // encoded
  Point point;     // owns what `vectors` and `sparse` point into
  FieldVectors vectors;
  FieldSparses sparse;
  PayloadValues values;
  TextTokens tokens;
  ContentHash hash;

  PointView View() const { return {id, point.payload, vectors, sparse}; }
};

// A write request after all checks: applying it cannot fail on its content.
// Ids are distinct.
struct PreparedWrite {
  std::vector<PreparedPoint> upserts;
  // What the tokens of the upserts are of.
  std::vector<TextIndexId> text_indexes;
  std::vector<std::string> deletes;
  // Points that were written after this are not deleted.
  std::optional<Sequence> deletes_as_of;
  size_t size_bytes = 0;
};

// InvalidField with paths like "points[3].vectors[embedding]" and
// "points[3].payload.size". Of equal ids the
// last one is kept.
absl::StatusOr<PreparedWrite> PrepareUpsert(const Schema& schema,
                                            std::vector<Point> points,
                                            const RequestContext& context);

// Paths like "ids[3]".
absl::StatusOr<PreparedWrite> PrepareDelete(const Schema& schema,
                                            std::span<const PointId> ids);

// Checks one vector against its field: dimension, every number finite and
// within the metric's range, not all zeros under cosine.
absl::Status ValidateVector(const VectorFieldSchema& field,
                            std::span<const float> values,
                            absl::string_view path);

}  // namespace sextant
