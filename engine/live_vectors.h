// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "engine/snapshot.h"

namespace sextant {

// The live vectors of one field of a snapshot, numbered from 0 in the order of
// its segments and their rows: so are the points for works on all of them.
// Keeps the segments, but not the snapshot's view of the store, which would
// hold back what is overwritten.
//
// Immutable, thread-safe. 16 bytes a point.
class LiveVectors {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  static absl::StatusOr<LiveVectors> Of(const Snapshot& snapshot,
                                        uint16_t field,
                                        const RequestContext& context);

  size_t size() const { return places_.size(); }
  // As it is stored: normalised under cosine.
  const float* vector(size_t number) const;
  absl::string_view id(size_t number) const;  // encoded
  // Of a point of the snapshot; kNone where it is dead or lacks the field.
  uint32_t NumberOf(uint32_t segment, Ordinal ordinal) const {
    return numbers_[segment][ordinal];
  }

 private:
  struct Place {
    uint32_t segment = 0;
    uint32_t row = 0;
    Ordinal ordinal = 0;
  };

  LiveVectors() = default;

  uint16_t field_ = 0;
  std::vector<std::shared_ptr<const SegmentView>> segments_;
  std::vector<Place> places_;
  std::vector<std::vector<uint32_t>> numbers_;  // by segment and ordinal
};

}  // namespace sextant
