// SPDX-License-Identifier: Apache-2.0
//
// Attachments of collections.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocks_status.h"
#include "storage/store.h"
#include "storage/store_rep.h"

namespace sextant {

absl::Status Store::WriteAttachments(CollectionNumber collection,
                                     std::span<const Attachment> attachments) {
  RETURN_IF_ERROR(write_status());
  RETURN_IF_ERROR(rep_->CheckExists(collection));
  RETURN_IF_ERROR(rep_->CheckFreeSpace());
  rocksdb::WriteBatch batch;
  std::string record;
  for (const Attachment& attachment : attachments) {
    const std::string key = AttachmentKey(collection, attachment.name);
    rocksdb::Status filled;
    if (attachment.bytes.has_value()) {
      EncodeAttachment(key, *attachment.bytes, &record);
      filled = batch.Put(BatchHandle(Family::kCollections), key, record);
    } else {
      filled = batch.Delete(BatchHandle(Family::kCollections), key);
    }
    CHECK(filled.ok()) << " " << filled.ToString();
  }
  return rep_->Write(&batch, Rep::Sync::kAlways);
}

absl::StatusOr<std::optional<std::string>> Store::ReadAttachment(
    CollectionNumber collection, absl::string_view name) const {
  RETURN_IF_ERROR(rep_->CheckExists(collection));
  const std::string key = AttachmentKey(collection, name);
  ASSIGN_OR_RETURN(const std::optional<std::string> record,
                   rep_->rocks->Get(Family::kCollections, key, nullptr));
  if (!record.has_value()) {
    return std::optional<std::string>();
  }
  ASSIGN_OR_RETURN(const absl::string_view body,
                   OpenRecord(RecordKind::kAttachment, key, *record));
  return std::optional<std::string>(std::string(body));
}

absl::StatusOr<std::vector<std::string>> Store::ListAttachments(
    CollectionNumber collection, absl::string_view prefix) const {
  RETURN_IF_ERROR(rep_->CheckExists(collection));
  const std::string first = AttachmentKey(collection, prefix);
  const size_t name_at = first.size() - prefix.size();
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it =
      rep_->rocks->NewIterator(Family::kCollections, options);
  std::vector<std::string> names;
  for (it->Seek(first); it->Valid(); it->Next()) {
    const absl::string_view key = ToView(it->key());
    if (!absl::StartsWith(key, first)) {
      break;
    }
    names.emplace_back(key.substr(name_at));
  }
  RETURN_IF_ERROR(FromRocks(it->status(), absl::StrCat("read attachments of "
                                                       "collection ",
                                                       collection)));
  return names;
}

absl::Status Store::Rep::VerifyAttachments(CollectionNumber collection,
                                           const StoreView& view) const {
  rocksdb::ReadOptions read_options;
  read_options.snapshot = RocksView::SnapshotOf(&view);
  read_options.verify_checksums = true;
  read_options.fill_cache = false;
  const std::string first = AttachmentKey(collection, "");
  const std::unique_ptr<rocksdb::Iterator> it =
      rocks->NewIterator(Family::kCollections, read_options);
  for (it->Seek(first); it->Valid(); it->Next()) {
    const absl::string_view key = ToView(it->key());
    if (!absl::StartsWith(key, first)) {
      break;
    }
    RETURN_IF_ERROR(
        OpenRecord(RecordKind::kAttachment, key, ToView(it->value())).status());
  }
  return FromRocks(it->status(), absl::StrCat("read ", rocks->rocksdb_path()));
}

}  // namespace sextant
