// SPDX-License-Identifier: Apache-2.0
//
// Definition, state, change log and checkpoint of a collection.

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/crash_point.h"
#include "base/status_macros.h"
#include "storage/file_io.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocks_status.h"
#include "storage/segment_format.h"
#include "storage/store.h"
#include "storage/store_rep.h"

namespace sextant {
namespace {

bool IsDefinitionKey(absl::string_view key) {
  return key.size() == kCollectionPrefixSize + 1 &&
         key.back() == static_cast<char>(CollectionPart::kDefinition);
}

bool IsAttachmentKey(absl::string_view key) {
  return key.size() > kCollectionPrefixSize &&
         key[kCollectionPrefixSize] ==
             static_cast<char>(CollectionPart::kAttachment);
}

absl::Status MissingChange(CollectionNumber collection, Sequence seq) {
  return RecordDataLoss(RecordKind::kChange, ChangeKey(collection, seq),
                        absl::StrCat("change ", seq, " is missing"));
}

void PutDefinition(const storage::CollectionRecord& record,
                   rocksdb::WriteBatch* batch) {
  std::string value;
  const std::string key =
      CollectionPartKey(record.number(), CollectionPart::kDefinition);
  EncodeProto(RecordKind::kCollection, key, record, &value);
  MustSucceed(batch->Put(BatchHandle(Family::kCollections), key, value));
}

}  // namespace

absl::StatusOr<std::vector<storage::CollectionRecord>> Store::Rep::ListAt(
    const rocksdb::Snapshot* snapshot) const {
  std::vector<storage::CollectionRecord> records;
  rocksdb::ReadOptions read_options;
  read_options.snapshot = snapshot;
  const std::unique_ptr<rocksdb::Iterator> it =
      rocks->NewIterator(Family::kCollections, read_options);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    absl::string_view key = ToView(it->key());
    if (IsAttachmentKey(key)) {
      // Large, and many: on to the next collection.
      CollectionNumber number = 0;
      absl::string_view rest;
      CHECK(ParseCollectionPrefix(key, &number, &rest)) << "a key of a part";
      it->Seek(CollectionEnd(number));
      if (!it->Valid()) {
        break;
      }
      key = ToView(it->key());
    }
    if (IsDefinitionKey(key)) {
      RETURN_IF_ERROR(DecodeProto(RecordKind::kCollection, key,
                                  ToView(it->value()),
                                  &records.emplace_back()));
    }
  }
  RETURN_IF_ERROR(
      FromRocks(it->status(), absl::StrCat("read ", rocks->rocksdb_path())));
  return records;
}

absl::StatusOr<CollectionState> Store::Rep::ReadStateAt(
    CollectionNumber collection, const rocksdb::Snapshot* snapshot) const {
  const std::string key = CollectionPartKey(collection, CollectionPart::kState);
  ASSIGN_OR_RETURN(const std::optional<std::string> record,
                   rocks->Get(Family::kCollections, key, snapshot));
  if (!record.has_value()) {
    return RecordDataLoss(RecordKind::kState, key, "missing");
  }
  return DecodeState(key, *record);
}

absl::StatusOr<std::optional<storage::CheckpointRecord>>
Store::Rep::ReadCheckpointAt(CollectionNumber collection,
                             const rocksdb::Snapshot* snapshot) const {
  const std::string key =
      CollectionPartKey(collection, CollectionPart::kCheckpoint);
  ASSIGN_OR_RETURN(const std::optional<std::string> record,
                   rocks->Get(Family::kCollections, key, snapshot));
  if (!record.has_value()) {
    return std::optional<storage::CheckpointRecord>();
  }
  storage::CheckpointRecord checkpoint;
  RETURN_IF_ERROR(
      DecodeProto(RecordKind::kCheckpoint, key, *record, &checkpoint));
  return std::optional<storage::CheckpointRecord>(std::move(checkpoint));
}

absl::Status Store::Rep::LoadCollections() {
  ASSIGN_OR_RETURN(const std::optional<std::string> counter,
                   rocks->Get(Family::kDefault, kNextCollectionKey, nullptr));
  MutexLock definitions_lock(&definitions_mutex);
  if (counter.has_value()) {
    ASSIGN_OR_RETURN(next_collection,
                     DecodeNumber(RecordKind::kNextCollection,
                                  kNextCollectionKey, *counter));
  }
  ASSIGN_OR_RETURN(const std::vector<storage::CollectionRecord> records,
                   ListAt(nullptr));
  absl::flat_hash_set<CollectionNumber> numbers;
  for (const storage::CollectionRecord& record : records) {
    numbers.insert(record.number());
  }
  for (const CollectionNumber number : numbers) {
    if (number >= next_collection) {
      return RecordDataLoss(
          RecordKind::kNextCollection, kNextCollectionKey,
          absl::StrCat("is ", next_collection, ", but collection number ",
                       number, " exists"));
    }
  }
  MutexLock lock(&collections_mutex);
  collections = std::move(numbers);
  return absl::OkStatus();
}

absl::Status Store::Rep::RemoveOrphanSegments() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   ListDirectory(rocks->files(), rocks->segments_path()));
  for (const std::string& name : names) {
    CollectionNumber number = 0;
    if (absl::SimpleAtoi(name, &number) && !CheckExists(number).ok()) {
      RETURN_IF_ERROR(segments->RemoveAllBut(number, {}));
    }
  }
  return absl::OkStatus();
}

absl::Status Store::Rep::WriteDefinition(
    const storage::CollectionRecord& record) {
  rocksdb::WriteBatch batch;
  PutDefinition(record, &batch);
  std::string value;
  const std::string state_key =
      CollectionPartKey(record.number(), CollectionPart::kState);
  EncodeState(state_key, CollectionState(), &value);
  MustSucceed(batch.Put(BatchHandle(Family::kCollections), state_key, value));
  EncodeNumber(RecordKind::kNextCollection, kNextCollectionKey,
               record.number() + 1, &value);
  MustSucceed(batch.Put(BatchHandle(Family::kDefault),
                        ToSlice(kNextCollectionKey), value));
  return Write(&batch, Sync::kAlways);
}

absl::StatusOr<storage::CollectionRecord> Store::CreateCollection(
    storage::CollectionRecord record) {
  if (record.uuid().size() != kUuidSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "uuid: expected ", kUuidSize, " bytes, got ", record.uuid().size()));
  }
  RETURN_IF_ERROR(rep_->CheckFreeSpace());
  MutexLock definitions_lock(&rep_->definitions_mutex);
  if (rep_->next_collection == std::numeric_limits<CollectionNumber>::max()) {
    return absl::ResourceExhaustedError("all collection numbers are used up");
  }
  record.set_number(rep_->next_collection);
  RETURN_IF_ERROR(rep_->WriteDefinition(record));
  ++rep_->next_collection;
  MutexLock lock(&rep_->collections_mutex);
  rep_->collections.insert(record.number());
  return record;
}

absl::Status Store::ReplaceDefinition(const storage::CollectionRecord& record) {
  RETURN_IF_ERROR(rep_->CheckFreeSpace());
  MutexLock definitions_lock(&rep_->definitions_mutex);
  RETURN_IF_ERROR(rep_->CheckExists(record.number()));
  rocksdb::WriteBatch batch;
  PutDefinition(record, &batch);
  return rep_->Write(&batch, Rep::Sync::kAlways);
}

absl::Status Store::DropCollection(CollectionNumber collection) {
  RETURN_IF_ERROR(write_status());
  {
    MutexLock lock(&rep_->collections_mutex);
    if (rep_->collections.erase(collection) == 0) {
      return absl::NotFoundError(
          absl::StrCat("collection number ", collection, " does not exist"));
    }
  }
  rocksdb::WriteBatch batch;
  const std::string begin = CollectionPrefix(collection);
  const std::string end = CollectionEnd(collection);
  for (const Family family : kCollectionFamilies) {
    MustSucceed(batch.DeleteRange(BatchHandle(family), begin, end));
  }
  if (absl::Status status = rep_->Write(&batch, Rep::Sync::kAlways);
      !status.ok()) {
    // It may still be there, so it can be read until the store is reopened.
    MutexLock lock(&rep_->collections_mutex);
    rep_->collections.insert(collection);
    return status;
  }
  CRASH_POINT("store:after_drop");
  return rep_->segments->RemoveAllBut(collection, {});
}

absl::StatusOr<std::vector<storage::CollectionRecord>> Store::ListCollections()
    const {
  return rep_->ListAt(nullptr);
}

absl::StatusOr<CollectionState> Store::ReadState(
    CollectionNumber collection) const {
  RETURN_IF_ERROR(rep_->CheckExists(collection));
  return rep_->ReadStateAt(collection, nullptr);
}

absl::Status Store::ReadChanges(
    CollectionNumber collection, Sequence after,
    const std::function<absl::Status(const Change&)>& fn) const {
  RETURN_IF_ERROR(rep_->CheckExists(collection));
  // State and changes of one moment, or a commit in between looks like a hole.
  const RocksView view(rep_->rocks->db(), &rep_->open_views);
  rocksdb::ReadOptions options;
  options.snapshot = RocksView::SnapshotOf(&view);
  options.fill_cache = false;
  ASSIGN_OR_RETURN(const CollectionState state,
                   rep_->ReadStateAt(collection, options.snapshot));
  if (after > state.applied_seq) {
    return absl::DataLossError(absl::StrCat(
        "collection ", collection, ": change ", after,
        " was applied elsewhere, but the store ends at ", state.applied_seq));
  }
  const std::string end = CollectionEnd(collection);
  const rocksdb::Slice end_slice = end;
  options.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> it =
      rep_->rocks->NewIterator(Family::kChanges, options);
  Sequence expected = after + 1;
  if (expected == 0) {
    return absl::OkStatus();
  }
  for (it->Seek(ChangeKey(collection, expected)); it->Valid(); it->Next()) {
    ASSIGN_OR_RETURN(const Change change,
                     DecodeChange(ToView(it->key()), ToView(it->value())));
    if (change.seq != expected) {
      return MissingChange(collection, expected);
    }
    RETURN_IF_ERROR(fn(change));
    ++expected;
  }
  RETURN_IF_ERROR(FromRocks(it->status(), absl::StrCat("read changes of "
                                                       "collection ",
                                                       collection)));
  return expected == state.applied_seq + 1
             ? absl::OkStatus()
             : MissingChange(collection, expected);
}

absl::Status Store::WriteCheckpoint(CollectionNumber collection,
                                    const storage::CheckpointRecord& checkpoint,
                                    Sequence trim_to) {
  RETURN_IF_ERROR(rep_->CheckExists(collection));
  rocksdb::WriteBatch batch;
  const std::string key =
      CollectionPartKey(collection, CollectionPart::kCheckpoint);
  std::string value;
  EncodeProto(RecordKind::kCheckpoint, key, checkpoint, &value);
  MustSucceed(batch.Put(BatchHandle(Family::kCollections), key, value));
  if (trim_to > 0) {
    // The end of a range is not part of it; this is the next possible key.
    MustSucceed(batch.DeleteRange(BatchHandle(Family::kChanges),
                                  ChangeKey(collection, 0),
                                  ChangeKey(collection, trim_to) + '\0'));
  }
  CRASH_POINT("checkpoint:before_write");
  RETURN_IF_ERROR(rep_->Write(&batch, Rep::Sync::kAlways));
  CRASH_POINT("checkpoint:after_write");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<storage::CheckpointRecord>> Store::ReadCheckpoint(
    CollectionNumber collection) const {
  RETURN_IF_ERROR(rep_->CheckExists(collection));
  return rep_->ReadCheckpointAt(collection, nullptr);
}

}  // namespace sextant
