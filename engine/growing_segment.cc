// SPDX-License-Identifier: Apache-2.0
#include "engine/growing_segment.h"

#include "base/check.h"
#include "index/distance.h"

namespace sextant {

GrowingSegment::GrowingSegment(const Schema& schema, uint32_t number,
                               Sequence start_seq, uint32_t max_rows)
    : number_(number), start_seq_(start_seq), max_rows_(max_rows) {
  for (const VectorFieldSchema& field : schema.vector_fields) {
    normalise_.push_back(field.metric == Metric::kCosine);
    fields_.push_back(std::make_unique<GrowingVectors>(
        VectorShape{field.metric, field.dimension}, max_rows));
  }
}

Ordinal GrowingSegment::Append(absl::string_view id,
                               std::span<const FieldVector> vectors) {
  CHECK(!full());
  const Ordinal ordinal = ids_.size();
  ids_.Append(std::string(id));
  for (const FieldVector& vector : vectors) {
    std::span<const float> values = vector.values;
    if (normalise_[vector.field]) {
      scratch_.assign(values.begin(), values.end());
      CHECK(Normalize(scratch_)) << "a zero vector passed validation";
      values = scratch_;
    }
    fields_[vector.field]->Append(values, ordinal);
  }
  return ordinal;
}

void GrowingSegment::StartAt(Sequence start_seq) {
  CHECK_EQ(ids_.size(), 0U);
  start_seq_ = start_seq;
}

uint64_t GrowingSegment::size_bytes() const {
  uint64_t size = ids_.size() * sizeof(std::string);
  for (const auto& field : fields_) {
    size += field->size_bytes();
  }
  return size;
}

}  // namespace sextant
