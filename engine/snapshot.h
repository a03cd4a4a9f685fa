// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

#include "base/first_not.h"
#include "engine/growing_segment.h"
#include "engine/schema.h"
#include "engine/sealed_segment.h"
#include "index/row_set.h"
#include "index/text/sparse_segment.h"
#include "index/text/text_segment.h"
#include "storage/store.h"

namespace sextant {

// One segment as a snapshot sees it: which rows are there and which are dead.
// Exactly one of `growing` and `sealed` is set. Immutable.
struct SegmentView {
  std::shared_ptr<const GrowingSegment> growing;
  std::shared_ptr<const SealedSegment> sealed;
  uint32_t rows = 0;  // ordinals visible
  // Growing only: vector rows visible, by field.
  absl::InlinedVector<uint32_t, 2> field_rows;
  RowSet dead;
  // With the same rows and dead ones; its fields are those of
  // Schema::text_index, maybe without what a field is going to be.
  TextSegment text;
  // With the same rows, by sparse field.
  std::vector<SparseParts> sparse;

  uint32_t number() const {
    return growing != nullptr ? growing->number() : sealed->number();
  }
  absl::string_view id(Ordinal row) const {
    return growing != nullptr ? growing->id(row) : sealed->id(row);
  }
  uint64_t live() const { return rows - dead.count(); }
  // The row of a point in the index of a vector field that it has.
  uint32_t vector_row(size_t field, Ordinal ordinal) const {
    if (sealed != nullptr) {
      return sealed->field(field).rows_by_ordinal()[ordinal];
    }
    // Rows have ascending ordinals; not every point has one.
    const GrowingVectors& vectors = growing->field(field);
    return FirstNot(uint32_t{0}, field_rows[field], [&](uint32_t row) {
      return vectors.row_ordinal(row) < ordinal;
    });
  }
  // The vector that such a point has there.
  const float* vector(size_t field, Ordinal ordinal) const {
    const uint32_t row = vector_row(field, ordinal);
    return sealed != nullptr ? sealed->field(field).row_vector(row)
                             : growing->field(field).row_vector(row);
  }
  // Whether it knows the values of a payload field: not so where its rows were
  // written before the field was declared, until they are filled in.
  bool has_payload_field(size_t field) const {
    return growing != nullptr ? growing->has_payload_field(field)
                              : sealed->column(field) != nullptr;
  }
  // Whether its texts are indexed as they are going to be.
  bool has_texts_of(const Schema& schema) const {
    return text.fields() >= schema.text_index_count();
  }
  bool has_fields_of(const Schema& schema) const {
    for (size_t i = 0; i < schema.payload_fields.size(); ++i) {
      if (!has_payload_field(i)) {
        return false;
      }
    }
    return has_texts_of(schema);
  }
};

// All that reads of a collection work on, frozen at one write. A request loads
// it once; holding it keeps its segments mapped and its records readable.
// Immutable, thread-safe.
struct Snapshot {
  CollectionState state;
  std::shared_ptr<const Schema> schema;
  std::vector<std::shared_ptr<const SegmentView>> segments;
  std::shared_ptr<const StoreView> store_view;
};

}  // namespace sextant
