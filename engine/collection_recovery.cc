// SPDX-License-Identifier: Apache-2.0
//
// How a collection comes back after a start: checkpoint, then change log, else
// a rebuild from the points.

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "engine/collection_writer.h"
#include "engine/prepared_write.h"
#include "index/text/sparse_index.h"

namespace sextant {
namespace {

constexpr size_t kReplayBatch = 512;

absl::StatusOr<std::shared_ptr<const SegmentView>> OpenSegment(
    Store* store, const storage::CollectionRecord& collection,
    const Schema& schema, const storage::SegmentRecord& record) {
  ASSIGN_OR_RETURN(std::shared_ptr<const SegmentFile> file,
                   store->segments().Open(collection, record));
  auto view = std::make_shared<SegmentView>();
  ASSIGN_OR_RETURN(view->sealed,
                   SealedSegment::Open(schema, record, std::move(file)));
  view->rows = view->sealed->rows();
  ASSIGN_OR_RETURN(view->dead,
                   RowSet::FromBytes(record.dead_rows(), view->rows));
  view->text = view->sealed->Text(schema, view->dead);
  view->sparse = view->sealed->Sparse();
  if (view->dead.count() != record.dead_count()) {
    return absl::DataLossError(
        absl::StrCat("segment ", record.number(), ": ", record.dead_count(),
                     " dead rows recorded, ", view->dead.count(), " marked"));
  }
  return view;
}

// What the index takes from a stored point. A record that passed its checksum
// and does not fit the schema is damage too.
absl::StatusOr<std::vector<FieldVector>> IndexableVectors(
    const Schema& schema, absl::string_view id, const StoredPoint& point) {
  std::vector<FieldVector> vectors;
  for (const StoredPoint::Field& vector : point.vectors) {
    const std::string name = ToString(DecodeId(schema.id_kind, id));
    if (vector.field >= schema.vector_fields.size()) {
      return absl::DataLossError(
          absl::StrCat("point ", name, " has a vector for field ", vector.field,
                       " which the collection lacks"));
    }
    const absl::Status valid =
        ValidateVector(schema.vector_fields[vector.field], vector.values, name);
    if (!valid.ok()) {
      return absl::DataLossError(
          absl::StrCat("stored point ", valid.message()));
    }
    vectors.push_back({vector.field, vector.values});
  }
  return vectors;
}

absl::StatusOr<std::vector<FieldSparse>> IndexableSparse(
    const Schema& schema, absl::string_view id, const StoredPoint& point) {
  std::vector<FieldSparse> vectors;
  for (const StoredPoint::SparseField& vector : point.sparse) {
    const std::string name = ToString(DecodeId(schema.id_kind, id));
    if (vector.field >= schema.sparse_fields.size() ||
        (!vectors.empty() && vector.field <= vectors.back().field)) {
      return absl::DataLossError(absl::StrCat(
          "point ", name, " has a sparse vector out of place, for field ",
          vector.field));
    }
    std::vector<SparseEntry> entries = vector.entries;
    if (const absl::Status valid = NormalizeSparse(entries, name);
        !valid.ok() || entries != vector.entries) {
      return absl::DataLossError(absl::StrCat(
          "stored point ", name, ": a sparse vector that was not checked ",
          valid.message()));
    }
    vectors.push_back({vector.field, vector.entries});
  }
  return vectors;
}

}  // namespace

absl::Status CollectionWriter::Recover() {
  bool checkpoint_needed = false;
  {
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(state_, store_->ReadState(record_.number()));
    absl::Status loaded = LoadSegments();
    if (!loaded.ok()) {
      events_(true, absl::StrCat("collection '", record_.name(),
                                 "': rebuilding the index from the store: ",
                                 loaded.message()));
      ++rebuilds_;
      RETURN_IF_ERROR(Rebuild());
      // Else the merge of what is frozen writes it.
      checkpoint_needed = !table_.has_frozen();
    } else if (const absl::Status removed = RemoveLeftovers(); !removed.ok()) {
      // They cost room, not truth: the collection is served with them.
      events_(true,
              absl::StrCat("collection '", record_.name(),
                           "': old segment files stay: ", removed.message()));
    }
    Publish();
  }
  if (const uint64_t misfits = payload_misfits(); misfits > 0) {
    events_(true, MisfitsText(record_.name(), misfits));
  }
  if (checkpoint_needed) {
    // If it fails, the next start rebuilds again.
    WriteCheckpoint().IgnoreError();
  }
  return absl::OkStatus();
}

// Checkpoint and replay; an error when the index does not add up.
absl::Status CollectionWriter::LoadSegments() {
  RETURN_IF_ERROR(LoadCheckpoint());
  RETURN_IF_ERROR(Replay());
  if (table_.live_count() != state_.live_count) {
    return absl::DataLossError(
        absl::StrCat("the index holds ", table_.live_count(),
                     " points, the store ", state_.live_count));
  }
  return absl::OkStatus();
}

// Files of a merge that a crash cut off.
absl::Status CollectionWriter::RemoveLeftovers() {
  std::vector<uint64_t> keep;
  for (const auto& view : table_.SealedViews()) {
    keep.push_back(view->number());
  }
  return store_->segments().RemoveAllBut(record_.number(), keep);
}

absl::Status CollectionWriter::LoadCheckpoint() {
  ASSIGN_OR_RETURN(const std::optional<storage::CheckpointRecord> checkpoint,
                   store_->ReadCheckpoint(record_.number()));
  if (!checkpoint.has_value()) {
    return absl::OkStatus();
  }
  if (checkpoint->seq() > state_.applied_seq) {
    return absl::DataLossError(
        absl::StrCat("the checkpoint is at write ", checkpoint->seq(),
                     ", the store at ", state_.applied_seq));
  }
  std::vector<std::shared_ptr<const SegmentView>> views;
  for (const storage::SegmentRecord& segment : checkpoint->segments()) {
    ASSIGN_OR_RETURN(std::shared_ptr<const SegmentView> view,
                     OpenSegment(store_, record_, *schema_, segment));
    views.push_back(std::move(view));
  }
  checkpoint_seq_ = checkpoint->seq();
  return table_.Load(std::move(views),
                     static_cast<uint32_t>(checkpoint->next_segment_number()),
                     checkpoint_seq_);
}

absl::Status CollectionWriter::Replay() {
  // The last state of each id is all that counts, so each is read once.
  std::vector<std::string> ids;
  absl::flat_hash_set<std::string> seen;
  Sequence last = checkpoint_seq_;
  RETURN_IF_ERROR(store_->ReadChanges(
      record_.number(), checkpoint_seq_, [&](const Change& change) {
        last = change.seq;
        for (const auto* touched : {&change.upserted, &change.deleted}) {
          for (const std::string& id : *touched) {
            if (seen.insert(id).second) {
              ids.push_back(id);
            }
          }
        }
        return absl::OkStatus();
      }));
  if (last != state_.applied_seq) {
    return absl::DataLossError(absl::StrCat("the change log ends at write ",
                                            last, ", the store is at ",
                                            state_.applied_seq));
  }
  const std::vector<absl::string_view> views(ids.begin(), ids.end());
  const PayloadReader payloads(schema_->payload_fields, schema_->text_fields);
  uint64_t misfits = 0;
  for (size_t first = 0; first < views.size(); first += kReplayBatch) {
    const size_t count = std::min(kReplayBatch, views.size() - first);
    RETURN_IF_ERROR(
        ReplayIds(std::span(views).subspan(first, count), payloads, &misfits));
  }
  payload_misfits_ += misfits;
  changes_to_replay_ = ids.size();
  return absl::OkStatus();
}

absl::Status CollectionWriter::ReplayIds(std::span<const absl::string_view> ids,
                                         const PayloadReader& payloads,
                                         uint64_t* misfits) {
  ASSIGN_OR_RETURN(
      std::vector<std::optional<StoredPoint>> points,
      store_->ReadPoints(nullptr, record_.number(), ids,
                         {.payload = !schema_->payload_fields.empty() ||
                                     !schema_->text_fields.empty(),
                          .vectors = true}));
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!points[i].has_value()) {
      table_.Delete(ids[i]);
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<FieldVector> vectors,
                     IndexableVectors(*schema_, ids[i], *points[i]));
    ASSIGN_OR_RETURN(const std::vector<FieldSparse> sparse,
                     IndexableSparse(*schema_, ids[i], *points[i]));
    // A segment that fills up during the replay holds all changes but cannot
    // say up to which write; the next one starts where the replay started.
    PayloadTexts texts;
    const PayloadValues values =
        payloads.ReadStored(points[i]->payload, misfits, &texts);
    table_.Upsert(ids[i], vectors, checkpoint_seq_,
                  {values, AnalyzeStored(*schema_, texts, misfits), sparse});
  }
  return absl::OkStatus();
}

absl::Status CollectionWriter::Rebuild() {
  // Every rebuilt segment counts as starting at write 0: the checkpoint moves
  // on only when all of them are sealed, so a crash meanwhile rebuilds again.
  checkpoint_seq_ = 0;
  RETURN_IF_ERROR(table_.Load({}, table_.next_number(), 0));
  std::unique_ptr<PointScan> scan = store_->ScanPoints(
      nullptr, record_.number(), "", {.payload = true, .vectors = true});
  const PayloadReader payloads(schema_->payload_fields, schema_->text_fields);
  uint64_t misfits = 0;
  CollectionState found;
  found.applied_seq = state_.applied_seq;
  while (scan->Next()) {
    ASSIGN_OR_RETURN(const std::vector<FieldVector> vectors,
                     IndexableVectors(*schema_, scan->id(), scan->point()));
    ASSIGN_OR_RETURN(const std::vector<FieldSparse> sparse,
                     IndexableSparse(*schema_, scan->id(), scan->point()));
    PayloadTexts texts;
    const PayloadValues values =
        payloads.ReadStored(scan->point().payload, &misfits, &texts);
    table_.Upsert(scan->id(), vectors, 0,
                  {values, AnalyzeStored(*schema_, texts, &misfits), sparse});
    ++found.live_count;
    found.content_hash.Add(
        HashPoint({scan->id(), scan->point().payload, vectors, sparse}));
  }
  RETURN_IF_ERROR(scan->status());
  payload_misfits_ += misfits;
  if (found != state_) {
    return absl::DataLossError(absl::StrCat(
        "the store's points do not add up to its state: ", found.live_count,
        " points found, ", state_.live_count,
        found.content_hash == state_.content_hash ? " recorded"
                                                  : " recorded, hash differs"));
  }
  // All of it is sealed soon, also when nobody writes: until then every start
  // rebuilds.
  table_.Freeze(state_.applied_seq);
  changes_to_replay_ = found.live_count;
  return absl::OkStatus();
}

}  // namespace sextant
