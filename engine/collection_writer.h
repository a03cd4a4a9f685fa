// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"
#include "base/published.h"
#include "engine/commit_queue.h"
#include "engine/compaction_plan.h"
#include "engine/events.h"
#include "engine/payload.h"
#include "engine/schema.h"
#include "engine/segment_builder.h"
#include "engine/segment_table.h"
#include "engine/snapshot.h"
#include "engine/text_change.h"
#include "storage/store.h"

namespace sextant {

// The one place that changes a collection: commits writes to the store, keeps
// the segments equal to it, and publishes snapshots.
//
// Order of a write: durable in the store, then in the growing segment, then
// published, then acknowledged. The change log above the last checkpoint
// leads from the sealed segments to the present state.
//
// Thread-safe: one lock orders writers, and is held during the durable write,
// which is its purpose; snapshot() takes no lock.
class CollectionWriter {
 public:
  // `store` outlives the writer. `schema` is that of the record.
  CollectionWriter(Store* store, storage::CollectionRecord record,
                   Schema schema, uint32_t seal_rows, EventSink events);

  // Brings the segments up to the store's state; once, before anything else.
  // Invalid segments or a gap in the change log lead to a rebuild from the
  // points; kDataLoss only when the points themselves are damaged.
  absl::Status Recover();

  // Commits all writes as one atomic batch; fills in status and result of
  // each.
  void CommitGroup(std::span<QueuedWrite* const> group);

  // Declares one payload field more, durably. Rows written from here on have
  // its values; those of older rows are filled in by merges. Errors are those
  // of WithPayloadField.
  absl::Status AddPayloadField(const PayloadFieldSchema& field);

  // Begins a change of a text field, durably, or ends the one that goes on
  // before it is done. Rows written from here on are indexed both ways; merges
  // make the new postings of older rows. Errors are those of WithTextUpdate.
  absl::Status UpdateTextField(const TextFieldUpdate& update);

  // Drops the collection from the store; calls are kNotFound from then on.
  absl::Status Drop();
  absl::Status CheckNotDropped() const;
  // Writes are kUnavailable from then on.
  void CloseWrites();
  // OK, or why a write would be refused.
  absl::Status CheckWritable();

  std::shared_ptr<const Snapshot> snapshot() const { return published_.Load(); }

  // Publishes the present state anew with a fresh view of the store, so that
  // the old one stops holding back records that other collections overwrote.
  void RefreshView();

  // --- background merging ---
  struct Merge {
    std::vector<std::shared_ptr<const SegmentView>> inputs;
    uint32_t number = 0;  // of the segment to be made
    std::shared_ptr<const Schema> schema;
    // The one input gets the columns that it lacks and stays as it is.
    bool fill = false;
  };
  // Freezes the growing segment if it has rows.
  void Freeze();
  // The next merge that is worth doing, if any.
  std::optional<Merge> NextMerge(WriteLoad load);
  // When every segment has the new postings of a text field that changes:
  // durably switches to them. Else does nothing. Not while a merge runs.
  absl::Status FinishTextChange();
  // The newest payloads of points, for merges. Thread-safe.
  absl::StatusOr<std::vector<std::string>> ReadPayloads(
      std::span<const absl::string_view> ids) const;
  // Publishes a merge; `built` null when no row was left.
  void FinishMerge(const SegmentBuild& build,
                   std::shared_ptr<const SealedSegment> built);
  // Durably records the sealed segments, trims the change log, and removes
  // files that are not needed any more.
  absl::Status WriteCheckpoint();

  // Ids changed since the last checkpoint: what a restart has to replay.
  uint64_t changes_to_replay() const { return changes_to_replay_.load(); }
  bool has_frozen() const { return has_frozen_.load(); }
  // Whether a sealed segment lacks a payload field that was declared later, or
  // new postings.
  bool has_unfilled() const { return has_unfilled_.load(); }
  bool changes_text() const { return changes_text_.load(); }
  // Stored values that did not fit the type of their payload field and count as
  // absent: met since the start by recoveries and merges.
  uint64_t payload_misfits() const { return payload_misfits_.load(); }
  uint32_t growing_rows() const { return growing_rows_.load(); }
  uint64_t rebuilds() const { return rebuilds_.load(); }
  uint64_t growing_bytes() const { return growing_bytes_.load(); }
  uint64_t id_map_bytes() const { return id_map_bytes_.load(); }

 private:
  // What the store has of a point, or will have after this group.
  struct KnownPoint {
    ContentHash hash;
    Sequence seq = 0;
  };
  using KnownById = absl::flat_hash_map<absl::string_view, KnownPoint>;

  absl::Status CheckWritableLocked() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CommitLocked(std::span<QueuedWrite* const> group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<KnownById> ReadKnown(std::span<QueuedWrite* const> group) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const QueuedWrite& queued, Sequence before)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void UpdateGauges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Stores the definition, then goes on by it.
  absl::Status SetSchema(Schema next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The generation of the change whose postings are all there.
  std::optional<uint32_t> FinishedTextChange() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status LoadSegments() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadCheckpoint() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Replay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReplayIds(std::span<const absl::string_view> ids,
                         const PayloadReader& payloads, uint64_t* misfits)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RemoveLeftovers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Rebuild() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  storage::CheckpointRecord MakeCheckpoint()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction. The record's payload fields and text fields
  // are those of the start.
  Store* const store_;
  const storage::CollectionRecord record_;
  const EventSink events_;

  // Orders checkpoints and the drop, which must not be undone by a late one;
  // taken before mutex_.
  Mutex checkpoint_mutex_;
  Mutex mutex_;
  std::shared_ptr<const Schema> schema_ ABSL_GUARDED_BY(mutex_);
  SegmentTable table_ ABSL_GUARDED_BY(mutex_);
  CollectionState state_ ABSL_GUARDED_BY(mutex_);
  Sequence checkpoint_seq_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;

  Published<Snapshot> published_;
  std::atomic<bool> dropped_{false};  // set under mutex_
  std::atomic<uint64_t> changes_to_replay_{0};
  std::atomic<uint32_t> growing_rows_{0};
  std::atomic<bool> has_frozen_{false};
  std::atomic<bool> has_unfilled_{false};
  std::atomic<bool> changes_text_{false};
  std::atomic<uint64_t> payload_misfits_{0};
  std::atomic<uint64_t> growing_bytes_{0};
  std::atomic<uint64_t> id_map_bytes_{0};
  std::atomic<uint64_t> rebuilds_{0};
};

}  // namespace sextant
