// SPDX-License-Identifier: Apache-2.0
#include "engine/live_vectors.h"

#include "base/status_macros.h"

namespace sextant {
namespace {

uint32_t RowsOf(const SegmentView& view, uint16_t field) {
  return view.growing != nullptr ? view.field_rows[field]
                                 : view.sealed->field(field).rows();
}

Ordinal OrdinalOf(const SegmentView& view, uint16_t field, uint32_t row) {
  return view.growing != nullptr ? view.growing->field(field).row_ordinal(row)
                                 : view.sealed->field(field).row_ordinal(row);
}

}  // namespace

absl::StatusOr<LiveVectors> LiveVectors::Of(const Snapshot& snapshot,
                                            uint16_t field,
                                            const RequestContext& context) {
  constexpr uint32_t kRowsPerCheck = 4096;
  LiveVectors vectors;
  vectors.field_ = field;
  vectors.segments_ = snapshot.segments;
  for (uint32_t segment = 0; segment < snapshot.segments.size(); ++segment) {
    const SegmentView& view = *snapshot.segments[segment];
    std::vector<uint32_t>& numbers = vectors.numbers_.emplace_back();
    numbers.assign(view.rows, kNone);
    const uint32_t rows = RowsOf(view, field);
    for (uint32_t row = 0; row < rows; ++row) {
      if (row % kRowsPerCheck == 0) {
        RETURN_IF_ERROR(context.Check());
      }
      const Ordinal ordinal = OrdinalOf(view, field, row);
      if (!view.dead.Contains(ordinal)) {
        numbers[ordinal] = static_cast<uint32_t>(vectors.places_.size());
        vectors.places_.push_back({segment, row, ordinal});
      }
    }
  }
  return vectors;
}

const float* LiveVectors::vector(size_t number) const {
  const Place& place = places_[number];
  const SegmentView& view = *segments_[place.segment];
  return view.growing != nullptr
             ? view.growing->field(field_).row_vector(place.row)
             : view.sealed->field(field_).row_vector(place.row);
}

absl::string_view LiveVectors::id(size_t number) const {
  const Place& place = places_[number];
  return segments_[place.segment]->id(place.ordinal);
}

}  // namespace sextant
