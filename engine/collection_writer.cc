// SPDX-License-Identifier: Apache-2.0
#include "engine/collection_writer.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/crash_point.h"
#include "base/status_macros.h"
#include "engine/schema_record.h"

namespace sextant {
namespace {

std::vector<SegmentSize> SizesOf(
    const std::vector<std::shared_ptr<const SegmentView>>& views,
    const Schema& schema) {
  std::vector<SegmentSize> sizes;
  sizes.reserve(views.size());
  for (const auto& view : views) {
    sizes.push_back({view->live(), view->dead.count(),
                     view->sealed != nullptr && !view->has_fields_of(schema)});
  }
  return sizes;
}

// Asks the id map for the memory of a point that comes soon after point `i`.
void PrefetchAfter(const SegmentTable& table, const PreparedWrite& write,
                   size_t i) {
  constexpr size_t kAhead = 8;
  if (i + kAhead < write.upserts.size()) {
    table.Prefetch(write.upserts[i + kAhead].id);
  }
}

// About the size of the group's records.
size_t EncodedBytes(std::span<QueuedWrite* const> group) {
  // Two records with their headers, two keys, the id in the change log.
  constexpr size_t kBytesAPoint = 192;
  size_t size = 0;
  for (const QueuedWrite* queued : group) {
    const PreparedWrite& write = queued->write;
    size += write.size_bytes +
            kBytesAPoint * (1 + write.upserts.size() + write.deletes.size());
  }
  return size;
}

// Adds the records of one request and moves `state` and `points` on.
template <typename KnownById>
void Encode(QueuedWrite* queued, KnownById* points, CollectionState* state,
            WriteSet* writes) {
  using Known = typename KnownById::mapped_type;
  Change change;
  change.seq = ++state->applied_seq;
  change.upserted.reserve(queued->write.upserts.size());
  points->reserve(points->size() + queued->write.upserts.size());
  queued->result.applied_seq = change.seq;
  for (const PreparedPoint& point : queued->write.upserts) {
    const auto [known, inserted] =
        points->emplace(point.id, Known{point.hash, change.seq});
    if (inserted) {
      ++queued->result.inserted;
      ++state->live_count;
    } else {
      ++queued->result.updated;
      state->content_hash.Remove(known->second.hash);
      known->second = {point.hash, change.seq};
    }
    state->content_hash.Add(point.hash);
    writes->Put(change.seq, point.View(), point.hash);
    change.upserted.push_back(point.id);
  }
  const std::optional<Sequence> as_of = queued->write.deletes_as_of;
  for (size_t i = 0; i < queued->write.deletes.size(); ++i) {
    const std::string& id = queued->write.deletes[i];
    const auto known = points->find(id);
    if (known == points->end()) {
      continue;
    }
    if (as_of.has_value() && known->second.seq > *as_of) {
      queued->held_back.push_back(i);
      continue;
    }
    ++queued->result.deleted;
    --state->live_count;
    state->content_hash.Remove(known->second.hash);
    points->erase(known);
    writes->Delete(id);
    change.deleted.push_back(id);
  }
  writes->AppendChange(change);
}

}  // namespace

CollectionWriter::CollectionWriter(Store* store,
                                   storage::CollectionRecord record,
                                   Schema schema, uint32_t seal_rows,
                                   EventSink events)
    : store_(store),
      record_(std::move(record)),
      events_(std::move(events)),
      schema_(std::make_shared<const Schema>(std::move(schema))),
      table_(schema_.get(), seal_rows) {}

void CollectionWriter::CommitGroup(std::span<QueuedWrite* const> group) {
  MutexLock lock(&mutex_);
  const absl::Status status = CommitLocked(group);
  for (QueuedWrite* write : group) {
    write->status = status;
  }
}

absl::Status CollectionWriter::CommitLocked(
    std::span<QueuedWrite* const> group) {
  RETURN_IF_ERROR(CheckWritableLocked());
  ASSIGN_OR_RETURN(KnownById points, ReadKnown(group));
  CollectionState state = state_;
  WriteSet writes(record_.number(), EncodedBytes(group));
  for (QueuedWrite* write : group) {
    Encode(write, &points, &state, &writes);
  }
  writes.SetState(state);
  RETURN_IF_ERROR(store_->Commit(std::move(writes)));
  CRASH_POINT("commit:before_apply");
  Sequence before = state_.applied_seq;
  for (const QueuedWrite* write : group) {
    Apply(*write, before);
    ++before;
  }
  state_ = state;
  Publish();
  CRASH_POINT("commit:before_acknowledge");
  return absl::OkStatus();
}

// The points that the group overwrites or deletes.
absl::StatusOr<CollectionWriter::KnownById> CollectionWriter::ReadKnown(
    std::span<QueuedWrite* const> group) const {
  std::vector<absl::string_view> known;
  const auto add = [&](absl::string_view id)
                       ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                         if (table_.Contains(id)) {
                           known.push_back(id);
                         }
                       };
  for (const QueuedWrite* write : group) {
    for (size_t i = 0; i < write->write.upserts.size(); ++i) {
      PrefetchAfter(table_, write->write, i);
      add(write->write.upserts[i].id);
    }
    for (const std::string& id : write->write.deletes) {
      add(id);
    }
  }
  KnownById points;
  if (known.empty()) {
    return points;
  }
  ASSIGN_OR_RETURN(std::vector<std::optional<StoredPoint>> stored,
                   store_->ReadPoints(nullptr, record_.number(), known,
                                      {.payload = false, .vectors = false}));
  for (size_t i = 0; i < known.size(); ++i) {
    if (!stored[i].has_value()) {
      return absl::DataLossError(
          absl::StrCat("point ", ToString(DecodeId(schema_->id_kind, known[i])),
                       " is in the index but not in the store"));
    }
    points.emplace(known[i], KnownPoint{stored[i]->hash, stored[i]->seq});
  }
  return points;
}

void CollectionWriter::Apply(const QueuedWrite& queued, Sequence before) {
  const PreparedWrite& write = queued.write;
  // Prepared before a field was declared that is there now, or when texts were
  // analysed in another way: such a point counts as one of before.
  uint64_t misfits = 0;
  const bool is_outdated =
      !write.upserts.empty() &&
      (write.upserts.front().values.size() < schema_->payload_fields.size() ||
       write.text_indexes != TextIndexIds(*schema_));
  std::optional<PayloadReader> reader;
  if (is_outdated) {
    reader.emplace(schema_->payload_fields, schema_->text_fields);
  }
  for (size_t i = 0; i < write.upserts.size(); ++i) {
    PrefetchAfter(table_, write, i);
    const PreparedPoint& point = write.upserts[i];
    if (reader.has_value()) {
      PayloadTexts texts;
      const PayloadValues values =
          reader->ReadStored(point.point.payload, &misfits, &texts);
      const TextTokens tokens = AnalyzeStored(*schema_, texts, &misfits);
      table_.Upsert(point.id, point.vectors, before,
                    {values, tokens, point.sparse});
    } else {
      table_.Upsert(point.id, point.vectors, before,
                    {point.values, point.tokens, point.sparse});
    }
  }
  payload_misfits_ += misfits;
  auto held_back = queued.held_back.begin();
  for (size_t i = 0; i < write.deletes.size(); ++i) {
    if (held_back != queued.held_back.end() && *held_back == i) {
      ++held_back;
    } else {
      table_.Delete(write.deletes[i]);
    }
  }
  changes_to_replay_ += write.upserts.size() + write.deletes.size();
}

void CollectionWriter::Publish() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->state = state_;
  snapshot->schema = schema_;
  snapshot->segments = table_.Views();
  // After a failed write nobody knows what the store holds; the last good view
  // is what the segments are equal to.
  const std::shared_ptr<const Snapshot> last = published_.Load();
  snapshot->store_view = last == nullptr || store_->write_status().ok()
                             ? store_->View()
                             : last->store_view;
  published_.Store(std::move(snapshot));
  UpdateGauges();
}

void CollectionWriter::RefreshView() {
  MutexLock lock(&mutex_);
  if (!dropped_) {
    Publish();
  }
}

void CollectionWriter::UpdateGauges() {
  growing_rows_ = table_.growing().rows();
  growing_bytes_ = table_.GrowingBytes();
  id_map_bytes_ = table_.IdMapBytes();
  has_frozen_ = table_.has_frozen();
  has_unfilled_ = table_.has_unfilled();
  changes_text_ = schema_->text_change.has_value();
}

absl::Status CollectionWriter::CheckNotDropped() const {
  return dropped_ ? absl::NotFoundError(absl::StrCat(
                        "collection '", record_.name(), "' was dropped"))
                  : absl::OkStatus();
}

void CollectionWriter::CloseWrites() {
  MutexLock lock(&mutex_);
  closed_ = true;
}

absl::Status CollectionWriter::CheckWritable() {
  MutexLock lock(&mutex_);
  return CheckWritableLocked();
}

absl::Status CollectionWriter::CheckWritableLocked() const {
  RETURN_IF_ERROR(CheckNotDropped());
  if (closed_) {
    return absl::UnavailableError("the database is closed");
  }
  return store_->write_status();
}

absl::Status CollectionWriter::AddPayloadField(
    const PayloadFieldSchema& field) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(CheckWritableLocked());
  ASSIGN_OR_RETURN(Schema added, WithPayloadField(*schema_, field));
  return SetSchema(std::move(added));
}

absl::Status CollectionWriter::UpdateTextField(const TextFieldUpdate& update) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(CheckWritableLocked());
  ASSIGN_OR_RETURN(std::optional<Schema> updated,
                   WithTextUpdate(*schema_, update));
  return updated.has_value() ? SetSchema(*std::move(updated))
                             : absl::OkStatus();
}

absl::Status CollectionWriter::SetSchema(Schema next) {
  auto schema = std::make_shared<const Schema>(std::move(next));
  storage::CollectionRecord record = record_;
  SetFields(*schema, &record);
  RETURN_IF_ERROR(store_->ReplaceDefinition(record));
  CRASH_POINT("set_schema:before_publish");
  // The table lets go of the old schema first.
  if (schema->text_index_count() < schema_->text_index_count()) {
    table_.SelectTexts(schema.get(), TextIndexNumbers(*schema, *schema_),
                       state_.applied_seq);
  } else {
    table_.Declare(schema.get(), state_.applied_seq);
  }
  schema_ = std::move(schema);
  Publish();
  return absl::OkStatus();
}

std::optional<uint32_t> CollectionWriter::FinishedTextChange() const {
  const bool finished = !dropped_ && !closed_ &&
                        schema_->text_change.has_value() &&
                        table_.has_all_texts();
  return finished ? std::optional(schema_->text_change->next.generation)
                  : std::nullopt;
}

absl::Status CollectionWriter::FinishTextChange() {
  std::optional<uint32_t> finished;
  {
    MutexLock lock(&mutex_);
    finished = FinishedTextChange();
    if (!finished.has_value()) {
      return absl::OkStatus();
    }
  }
  // First the checkpoint names the files that have the new postings, so that a
  // restart finds them for the definition that needs them.
  RETURN_IF_ERROR(WriteCheckpoint());
  CRASH_POINT("text_change:before_definition");
  std::string field;
  {
    MutexLock lock(&mutex_);
    if (FinishedTextChange() != finished) {
      return absl::OkStatus();  // dropped, or taken back
    }
    field = schema_->text_change->next.name;
    RETURN_IF_ERROR(SetSchema(WithTextChangeDone(*schema_)));
  }
  events_(false, absl::StrCat("collection '", record_.name(), "': text field '",
                              field, "' is searched by its new index"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> CollectionWriter::ReadPayloads(
    std::span<const absl::string_view> ids) const {
  ASSIGN_OR_RETURN(std::vector<std::optional<StoredPoint>> points,
                   store_->ReadPoints(nullptr, record_.number(), ids,
                                      {.payload = true, .vectors = false}));
  std::vector<std::string> payloads(ids.size());
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].has_value()) {
      payloads[i] = std::move(points[i]->payload);
    }
  }
  return payloads;
}

absl::Status CollectionWriter::Drop() {
  MutexLock checkpoint_lock(&checkpoint_mutex_);
  MutexLock lock(&mutex_);
  absl::Status dropped = store_->DropCollection(record_.number());
  // Its records go first. When only a file could not be removed it is gone all
  // the same; the file follows at the next start.
  if (!dropped.ok() &&
      !absl::IsNotFound(store_->ReadState(record_.number()).status())) {
    return dropped;
  }
  dropped_ = true;
  return absl::OkStatus();
}

void CollectionWriter::Freeze() {
  MutexLock lock(&mutex_);
  table_.Freeze(state_.applied_seq);
  UpdateGauges();
}

std::optional<CollectionWriter::Merge> CollectionWriter::NextMerge(
    WriteLoad load) {
  MutexLock lock(&mutex_);
  if (dropped_) {
    return std::nullopt;
  }
  std::vector<std::shared_ptr<const SegmentView>> frozen = table_.FrozenViews();
  const std::vector<std::shared_ptr<const SegmentView>> sealed =
      table_.SealedViews();
  const CompactionPlan plan = PlanCompaction(SizesOf(frozen, *schema_),
                                             SizesOf(sealed, *schema_), load);
  if (plan.empty()) {
    return std::nullopt;
  }
  Merge merge;
  frozen.resize(plan.frozen);
  merge.inputs = std::move(frozen);
  for (const size_t position : plan.sealed) {
    merge.inputs.push_back(sealed[position]);
  }
  merge.number = table_.TakeNumber();
  merge.schema = schema_;
  merge.fill = plan.fill;
  return merge;
}

void CollectionWriter::FinishMerge(const SegmentBuild& build,
                                   std::shared_ptr<const SealedSegment> built) {
  MutexLock lock(&mutex_);
  if (dropped_) {
    return;
  }
  table_.Replace(build, std::move(built));
  payload_misfits_ += build.misfits;
  Publish();
}

absl::Status CollectionWriter::WriteCheckpoint() {
  MutexLock checkpoint_lock(&checkpoint_mutex_);
  storage::CheckpointRecord checkpoint;
  uint64_t covered_changes = 0;
  {
    MutexLock lock(&mutex_);
    if (dropped_) {
      return absl::OkStatus();
    }
    checkpoint = MakeCheckpoint();
    checkpoint_seq_ = checkpoint.seq();
    covered_changes = changes_to_replay_;
  }
  CRASH_POINT("checkpoint:before_write");
  RETURN_IF_ERROR(
      store_->WriteCheckpoint(record_.number(), checkpoint, checkpoint.seq()));
  // What came since the checkpoint was made stays to be replayed; rows that
  // still grow are replayed too.
  changes_to_replay_ -= covered_changes;
  changes_to_replay_ += growing_rows_;
  CRASH_POINT("checkpoint:before_remove_files");
  std::vector<uint64_t> keep;
  for (const storage::SegmentRecord& segment : checkpoint.segments()) {
    keep.push_back(segment.number());
  }
  return store_->segments().RemoveAllBut(record_.number(), keep);
}

storage::CheckpointRecord CollectionWriter::MakeCheckpoint() {
  storage::CheckpointRecord checkpoint;
  checkpoint.set_seq(table_.SealedSeq(state_.applied_seq));
  checkpoint.set_next_segment_number(table_.next_number());
  for (const auto& view : table_.SealedViews()) {
    storage::SegmentRecord* segment = checkpoint.add_segments();
    *segment = view->sealed->record();
    segment->set_dead_rows(view->dead.ToBytes());
    segment->set_dead_count(view->dead.count());
  }
  return checkpoint;
}

}  // namespace sextant
