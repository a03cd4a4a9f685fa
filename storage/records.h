// SPDX-License-Identifier: Apache-2.0
//
// Plain values that cross the storage border.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "base/sparse_entry.h"

namespace sextant {

// Position of a write request in its collection's change log; 0 = before the
// first write.
using Sequence = uint64_t;

// Prefix of a collection's keys.
using CollectionNumber = uint32_t;

// Sum, lane by lane and modulo 2^64, of the XXH3-128 of every live point:
// independent of write order, and recomputable from the store.
struct ContentHash {
  uint64_t low = 0;
  uint64_t high = 0;

  void Add(const ContentHash& point) {
    low += point.low;
    high += point.high;
  }
  void Remove(const ContentHash& point) {
    low -= point.low;
    high -= point.high;
  }
  friend bool operator==(const ContentHash&, const ContentHash&) = default;
};

// A vector of one field, not owned. `field` is the field's position in the
// collection's definition.
struct FieldVector {
  uint16_t field = 0;
  std::span<const float> values;
};

// A sparse vector of one sparse field, not owned. `field` is the field's
// position among the collection's sparse fields.
struct FieldSparse {
  uint16_t field = 0;
  std::span<const SparseEntry> entries;
};

// All vectors of a point, each kind in ascending order of fields.
struct PointVectors {
  std::span<const FieldVector> dense;
  std::span<const FieldSparse> sparse = {};
};

// A point to be written, not owned. `id` is the encoded id (order-preserving
// bytes; the store does not look into it).
struct PointView {
  absl::string_view id;
  absl::string_view payload;
  std::span<const FieldVector> vectors;
  std::span<const FieldSparse> sparse = {};
};

// XXH3-128 of a point's id, payload and vectors (the summand of ContentHash).
ContentHash HashPoint(const PointView& point);

// A point that was read.
struct StoredPoint {
  Sequence seq = 0;
  ContentHash hash;
  std::string payload;
  struct Field {
    uint16_t field = 0;
    std::vector<float> values;
  };
  std::vector<Field> vectors;
  struct SparseField {
    uint16_t field = 0;
    std::vector<SparseEntry> entries;
  };
  std::vector<SparseField> sparse;
};

// What the newest write left of a collection, kept in the same batch as it.
struct CollectionState {
  Sequence applied_seq = 0;
  uint64_t live_count = 0;
  ContentHash content_hash;
  friend bool operator==(const CollectionState&,
                         const CollectionState&) = default;
};

// One row of the change log: what one write request touched.
struct Change {
  Sequence seq = 0;
  std::vector<std::string> upserted;
  std::vector<std::string> deleted;
};

}  // namespace sextant
