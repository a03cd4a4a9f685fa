// SPDX-License-Identifier: Apache-2.0
//
// Store::Verify: reads everything there is.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "storage/keys.h"
#include "storage/log_check.h"
#include "storage/record_codec.h"
#include "storage/rocks_status.h"
#include "storage/store.h"
#include "storage/store_rep.h"

namespace sextant {
namespace {

// Past the block cache, because a scan served from it does not see the disk.
rocksdb::ReadOptions UncachedOptions() {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  options.readahead_size = size_t{2} << 20U;
  return options;
}

absl::Status VerifyFiles(const RocksInstance& rocks) {
  const std::string context = absl::StrCat("verify ", rocks.rocksdb_path());
  // The first reads block by block, the second compares whole files with the
  // checksums in the manifest; each finds what the other does not read.
  RETURN_IF_ERROR(
      FromRocks(rocks.db()->VerifyChecksum(UncachedOptions()), context));
  return FromRocks(rocks.db()->VerifyFileChecksums(UncachedOptions()), context);
}

ContentHash Rehash(absl::string_view id, const StoredPoint& point) {
  std::vector<FieldVector> vectors;
  vectors.reserve(point.vectors.size());
  for (const StoredPoint::Field& field : point.vectors) {
    vectors.push_back({field.field, field.values});
  }
  std::vector<FieldSparse> sparse;
  sparse.reserve(point.sparse.size());
  for (const StoredPoint::SparseField& field : point.sparse) {
    sparse.push_back({field.field, field.entries});
  }
  return HashPoint({.id = id,
                    .payload = point.payload,
                    .vectors = vectors,
                    .sparse = sparse});
}

}  // namespace

// Recounts the collection and compares with what its state says.
absl::Status Store::Rep::VerifyPoints(const storage::CollectionRecord& record,
                                      const StoreView& view) const {
  ASSIGN_OR_RETURN(const CollectionState state,
                   ReadStateAt(record.number(), RocksView::SnapshotOf(&view)));
  CollectionState found;
  found.applied_seq = state.applied_seq;
  const std::unique_ptr<PointScan> scan =
      store->ScanPoints(&view, record.number(), "", ReadParts());
  while (scan->Next()) {
    const ContentHash hash = Rehash(scan->id(), scan->point());
    if (hash != scan->point().hash) {
      return RecordDataLoss(RecordKind::kPoint,
                            PointKey(record.number(), scan->id()),
                            "the contents do not fit the point's hash");
    }
    if (scan->point().seq > state.applied_seq) {
      return RecordDataLoss(
          RecordKind::kPoint, PointKey(record.number(), scan->id()),
          absl::StrCat("written by change ", scan->point().seq,
                       ", above the newest, ", state.applied_seq));
    }
    found.content_hash.Add(hash);
    ++found.live_count;
  }
  RETURN_IF_ERROR(scan->status());
  const std::string key =
      CollectionPartKey(record.number(), CollectionPart::kState);
  if (found.live_count != state.live_count) {
    return RecordDataLoss(
        RecordKind::kState, key,
        absl::StrCat("counts ", state.live_count, " points, the store holds ",
                     found.live_count));
  }
  if (found.content_hash != state.content_hash) {
    return RecordDataLoss(RecordKind::kState, key,
                          "the content hash does not fit the points");
  }
  return absl::OkStatus();
}

// The log has every change since the checkpoint (or a bit more), up to the
// newest.
absl::Status Store::Rep::VerifyChanges(CollectionNumber collection,
                                       const StoreView& view) const {
  rocksdb::ReadOptions read_options = UncachedOptions();
  read_options.snapshot = RocksView::SnapshotOf(&view);
  ASSIGN_OR_RETURN(const CollectionState state,
                   ReadStateAt(collection, read_options.snapshot));
  ASSIGN_OR_RETURN(const std::optional<storage::CheckpointRecord> checkpoint,
                   ReadCheckpointAt(collection, read_options.snapshot));
  const std::string end = CollectionEnd(collection);
  const rocksdb::Slice end_slice = end;
  read_options.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> it =
      rocks->NewIterator(Family::kChanges, read_options);
  Sequence covered = checkpoint.has_value() ? checkpoint->seq() : 0;
  bool first = true;
  for (it->Seek(CollectionPrefix(collection)); it->Valid(); it->Next()) {
    ASSIGN_OR_RETURN(const Change change,
                     DecodeChange(ToView(it->key()), ToView(it->value())));
    // Rows from before the checkpoint may still be there.
    if (change.seq > covered + 1 || (!first && change.seq != covered + 1)) {
      return RecordDataLoss(RecordKind::kChange,
                            ChangeKey(collection, covered + 1), "missing");
    }
    first = false;
    covered = change.seq;
  }
  RETURN_IF_ERROR(
      FromRocks(it->status(), absl::StrCat("read ", rocks->rocksdb_path())));
  if (covered != state.applied_seq) {
    return RecordDataLoss(
        RecordKind::kState,
        CollectionPartKey(collection, CollectionPart::kState),
        absl::StrCat("the newest change is ", state.applied_seq,
                     ", the change log ends at ", covered));
  }
  return absl::OkStatus();
}

absl::Status Store::Rep::VerifySegments(
    const storage::CollectionRecord& record) const {
  // A merge may replace checkpoint and files while we look, so a failure only
  // counts if the checkpoint is still the one that was read.
  absl::Status failure;
  std::string failed_checkpoint;
  while (CheckExists(record.number()).ok()) {
    ASSIGN_OR_RETURN(const std::optional<storage::CheckpointRecord> checkpoint,
                     ReadCheckpointAt(record.number(), nullptr));
    if (!checkpoint.has_value()) {
      return absl::OkStatus();
    }
    const std::string encoded = checkpoint->SerializeAsString();
    if (!failure.ok() && encoded == failed_checkpoint) {
      return failure;
    }
    failed_checkpoint = encoded;
    failure = absl::OkStatus();
    for (const storage::SegmentRecord& segment : checkpoint->segments()) {
      failure = segments->Open(record, segment).status();
      if (!failure.ok()) {
        break;
      }
    }
    if (failure.ok()) {
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

// Every record belongs to a collection, and decodes.
absl::Status Store::Rep::VerifyNoOrphans(const StoreView& view) const {
  rocksdb::ReadOptions read_options;
  read_options.snapshot = RocksView::SnapshotOf(&view);
  ASSIGN_OR_RETURN(const std::vector<storage::CollectionRecord> records,
                   ListAt(read_options.snapshot));
  for (const Family family : kCollectionFamilies) {
    const std::unique_ptr<rocksdb::Iterator> it =
        rocks->NewIterator(family, read_options);
    // Jumps over each collection, so that this costs one seek for each.
    it->SeekToFirst();
    for (const storage::CollectionRecord& record : records) {
      if (it->Valid() &&
          ToView(it->key()) >= CollectionPrefix(record.number())) {
        it->Seek(CollectionEnd(record.number()));
      }
    }
    RETURN_IF_ERROR(
        FromRocks(it->status(), absl::StrCat("read ", rocks->rocksdb_path())));
    if (it->Valid()) {
      return absl::DataLossError(absl::StrCat(
          "family '", kFamilyNames.at(static_cast<uint32_t>(family)), "', ",
          PrintableKey(ToView(it->key())), ": belongs to no collection"));
    }
  }
  return absl::OkStatus();
}

absl::Status Store::Verify() const {
  RETURN_IF_ERROR(VerifyFiles(*rep_->rocks));
  RETURN_IF_ERROR(CheckLogsWhileOpen(rep_->rocks->files(),
                                     rep_->rocks->rocksdb_path(),
                                     rep_->options.durability));
  const std::shared_ptr<const StoreView> view = View();
  RETURN_IF_ERROR(rep_->VerifyNoOrphans(*view));
  ASSIGN_OR_RETURN(const std::vector<storage::CollectionRecord> records,
                   rep_->ListAt(RocksView::SnapshotOf(view.get())));
  for (const storage::CollectionRecord& record : records) {
    const std::string context =
        absl::StrCat("collection '", record.name(), "'");
    RETURN_IF_ERROR_WITH(rep_->VerifyPoints(record, *view), context);
    RETURN_IF_ERROR_WITH(rep_->VerifyChanges(record.number(), *view), context);
    RETURN_IF_ERROR_WITH(rep_->VerifyAttachments(record.number(), *view),
                         context);
    RETURN_IF_ERROR_WITH(rep_->VerifySegments(record), context);
  }
  return absl::OkStatus();
}

}  // namespace sextant
