// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/growing_segment.h"
#include "engine/id_map.h"
#include "engine/schema.h"
#include "engine/segment_builder.h"
#include "engine/snapshot.h"
#include "storage/records.h"

namespace sextant {

// The writer's picture of a collection: all segments, oldest first, the last
// of them growing, and where each live point lies.
//
// Invariant: every id of the map is a live row of exactly one segment, and
// every live row is in the map. One thread at a time (under the collection's
// writer lock); what Views() returns is immutable and may go anywhere.
class SegmentTable {
 public:
  // `schema` outlives the table.
  SegmentTable(const Schema* schema, uint32_t seal_rows);

  // Starts over from sealed segments and their dead rows (recovery). Rows
  // that collide on an id make it fail with kDataLoss.
  absl::Status Load(std::vector<std::shared_ptr<const SegmentView>> sealed,
                    uint32_t next_number, Sequence covered_seq);

  bool Contains(absl::string_view id) const;
  // To be called some ids ahead of the calls that look for an id.
  void Prefetch(absl::string_view id) const { ids_.Prefetch(id); }
  // `covered_seq`: the sequence before this write; where the growing segment
  // starts when this is its first row.
  // `content` as of GrowingSegment::Append.
  void Upsert(absl::string_view id, std::span<const FieldVector> vectors,
              Sequence covered_seq, const RowContent& content = {});
  // True if it was there.
  bool Delete(absl::string_view id);

  // Freezes the growing segment, if it has rows, and starts a new one.
  void Freeze(Sequence covered_seq);
  // From here on rows have the fields of this schema, which outlives the table:
  // that of before and some payload fields more, or with the beginning of a
  // change of a text field.
  void Declare(const Schema* schema, Sequence covered_seq);
  // The same when such a change ends: texts are searched in these of the
  // indexes that there were, in this order. Every segment has them.
  void SelectTexts(const Schema* schema, std::span<const size_t> numbers,
                   Sequence covered_seq);

  // Puts a built segment in place of its inputs; rows that died since the build
  // began are dead in it. `built` without rows only removes the inputs.
  void Replace(const SegmentBuild& build,
               std::shared_ptr<const SealedSegment> built);

  // The state to publish.
  std::vector<std::shared_ptr<const SegmentView>> Views();

  // Frozen growing segments, oldest first.
  std::vector<std::shared_ptr<const SegmentView>> FrozenViews();
  std::vector<std::shared_ptr<const SegmentView>> SealedViews();
  bool has_frozen() const;
  // Whether a sealed segment lacks a payload field of the schema, or an index
  // of its texts.
  bool has_unfilled() const;
  // Whether every segment has all text indexes of the schema.
  bool has_all_texts() const;
  const GrowingSegment& growing() const { return *growing_; }
  // Every change up to this lies in sealed segments and their dead rows.
  Sequence SealedSeq(Sequence applied_seq) const;
  uint32_t TakeNumber() { return next_number_++; }
  uint32_t next_number() const { return next_number_; }
  uint64_t live_count() const { return ids_.size(); }
  uint64_t IdMapBytes() const { return ids_.size_bytes(); }
  uint64_t GrowingBytes() const;  // memory of the unsealed segments

 private:
  // A segment and the rows that died since its view was made.
  struct Slot {
    std::shared_ptr<const SegmentView> view;
    std::vector<Ordinal> died;
  };

  Slot& Find(uint32_t number);
  void MarkDead(Location location);
  void StartGrowing(Sequence start_seq);
  void Refresh(Slot* slot);
  std::vector<std::shared_ptr<const SegmentView>> SlotViews(bool sealed);

  const Schema* schema_;
  const uint32_t seal_rows_;
  uint32_t next_number_ = 1;
  IdMap ids_;
  std::vector<Slot> slots_;                  // the last is growing_'s
  std::shared_ptr<GrowingSegment> growing_;  // takes the writes
};

}  // namespace sextant
