// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_instance.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "storage/file_io.h"
#include "storage/format_version.h"
#include "storage/keys.h"
#include "storage/log_check.h"
#include "storage/record_codec.h"
#include "storage/rocks_options.h"
#include "storage/rocks_status.h"

namespace sextant {
namespace {

bool IsKnownFamily(absl::string_view name) {
  return std::find(kFamilyNames.begin(), kFamilyNames.end(), name) !=
         kFamilyNames.end();
}

}  // namespace

RocksInstance::RocksInstance(const StoreOptions& options)
    : path_(options.path),
      files_(options.file_system ? options.file_system
                                 : rocksdb::FileSystem::Default()),
      env_(rocksdb::NewCompositeEnv(files_)),
      damage_(std::make_shared<CompactionDamage>(options.on_damage)) {}

RocksInstance::~RocksInstance() {
  if (db_ != nullptr) {
    damage_->SetFamilies(db_.get(), {});
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      if (handle != nullptr) {
        db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
      }
    }
    for (rocksdb::ColumnFamilyHandle* handle : unknown_handles_) {
      db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    // A failure here loses nothing: every acknowledged write is in the log.
    db_->Close().PermitUncheckedError();
    db_.reset();
  }
  if (lock_ != nullptr) {
    files_->UnlockFile(lock_, {}, nullptr).PermitUncheckedError();
  }
}

absl::StatusOr<std::unique_ptr<RocksInstance>> RocksInstance::Open(
    const StoreOptions& options) {
  auto instance = std::unique_ptr<RocksInstance>(new RocksInstance(options));
  RETURN_IF_ERROR(instance->CreateDirectories());
  RETURN_IF_ERROR(instance->Lock());
  ASSIGN_OR_RETURN(instance->has_marker_,
                   ReadStoreMarker(instance->files(), instance->path()));
  RETURN_IF_ERROR(instance->CheckNotBeheaded());
  RETURN_IF_ERROR(CheckLogsBeforeOpen(
      instance->files(), instance->rocksdb_path(), options.durability));
  RETURN_IF_ERROR(instance->OpenRocks(options));
  return instance;
}

absl::Status RocksInstance::CreateDirectories() {
  if (path_.empty()) {
    return absl::InvalidArgumentError("data directory: the path is empty");
  }
  RETURN_IF_ERROR(CreateDirectoryAndParents(files_.get(), path_));
  RETURN_IF_ERROR(CreateDirectory(files_.get(), rocksdb_path()));
  RETURN_IF_ERROR(CreateDirectory(files_.get(), segments_path()));
  return SyncDirectory(files_.get(), path_);
}

absl::Status RocksInstance::Lock() {
  const std::string lock_path = path_ + "/LOCK";
  const rocksdb::IOStatus status =
      files_->LockFile(lock_path, {}, &lock_, nullptr);
  if (status.ok()) {
    return absl::OkStatus();
  }
  lock_ = nullptr;
  const std::string text = status.ToString();
  if (absl::StrContains(text, "held by current process") ||
      absl::StrContains(text, "hold by current process")) {
    return absl::FailedPreconditionError(absl::StrCat(
        "data directory ", path_, " is already open in this process"));
  }
  if (absl::StrContains(text, "While lock file")) {
    return absl::FailedPreconditionError(absl::StrCat(
        "data directory ", path_, " is in use by another process"));
  }
  return FromRocks(status, absl::StrCat("lock data directory ", path_));
}

absl::Status RocksInstance::CheckNotBeheaded() const {
  std::vector<std::string> names;
  if (const rocksdb::IOStatus status =
          files_->GetChildren(rocksdb_path(), {}, &names, nullptr);
      !status.ok()) {
    return FromRocks(status, absl::StrCat("list ", rocksdb_path()));
  }
  const auto count = [&](absl::string_view suffix) {
    return std::count_if(
        names.begin(), names.end(),
        [&](const std::string& name) { return absl::EndsWith(name, suffix); });
  };
  const bool has_current =
      std::find(names.begin(), names.end(), "CURRENT") != names.end();
  if (!has_current && (has_marker_ || count(".sst") > 0 || count(".log") > 0)) {
    return absl::DataLossError(
        absl::StrCat(rocksdb_path(),
                     "/CURRENT is missing: the data directory was damaged; "
                     "restore it from a backup"));
  }
  // An open database always has a log, empty or not, from before its first
  // table on.
  if (count(".log") == 0 && (has_marker_ || count(".sst") > 0)) {
    return absl::DataLossError(absl::StrCat(
        rocksdb_path(),
        ": the write-ahead log (*.log) is missing, and with it acknowledged "
        "writes; restore the data directory from a backup"));
  }
  return absl::OkStatus();
}

absl::Status RocksInstance::OpenRocks(const StoreOptions& options) {
  const RocksOptions rocks =
      MakeRocksOptions(options, env_.get(), files_, damage_);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (uint32_t id = 0; id < kFamilyCount; ++id) {
    descriptors.emplace_back(kFamilyNames.at(id), rocks.families.at(id));
  }
  // A newer program may have added families; RocksDB opens all or nothing, and
  // only the format record inside says how new it is.
  std::vector<std::string> existing;
  const rocksdb::Status listed =
      rocksdb::DB::ListColumnFamilies(rocks.db, rocksdb_path(), &existing);
  if (listed.ok()) {
    for (const std::string& name : existing) {
      if (!IsKnownFamily(name)) {
        descriptors.emplace_back(name, rocks.unknown_family);
      }
    }
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(rocks.db, rocksdb_path(), descriptors, &handles, &db);
  if (!opened.ok()) {
    absl::Status status =
        FromRocks(opened, absl::StrCat("open ", rocksdb_path()));
    // The options are constant and good; RocksDB also says "invalid argument"
    // when it could not read what it checks them against.
    return absl::IsInternal(status) ? absl::UnavailableError(status.message())
                                    : status;
  }
  db_.reset(db);
  std::copy_n(handles.begin(), kFamilyCount, handles_.begin());
  unknown_handles_.assign(handles.begin() + kFamilyCount, handles.end());
  for (uint32_t id = 0; id < kFamilyCount; ++id) {
    if (handles_.at(id)->GetID() != id) {
      return absl::DataLossError(absl::StrCat(
          rocksdb_path(), ": column family '", kFamilyNames.at(id), "' has id ",
          handles_.at(id)->GetID(), ", expected ", id));
    }
  }
  damage_->SetFamilies(db_.get(), {handles_.begin(), handles_.end()});
  return CheckFormat(!unknown_handles_.empty());
}

absl::Status RocksInstance::CheckFormat(bool unknown_family) {
  ASSIGN_OR_RETURN(const std::optional<std::string> record,
                   Get(Family::kDefault, kFormatKey, nullptr));
  if (record.has_value()) {
    ASSIGN_OR_RETURN(const uint32_t version,
                     DecodeNumber(RecordKind::kFormat, kFormatKey, *record));
    RETURN_IF_ERROR(CheckStoreFormat(version, path_));
  }
  if (unknown_family) {
    return absl::DataLossError(
        absl::StrCat(rocksdb_path(), ": unknown column family '",
                     unknown_handles_.front()->GetName(), "'"));
  }
  if (record.has_value()) {
    return has_marker_ ? absl::OkStatus()
                       : WriteStoreMarker(files_.get(), path_);
  }
  // The record comes before any collection, so only a new store lacks it.
  const std::unique_ptr<rocksdb::Iterator> collections =
      NewIterator(Family::kCollections, {});
  collections->SeekToFirst();
  if (collections->Valid() || has_marker_) {
    return RecordDataLoss(RecordKind::kFormat, kFormatKey, "missing");
  }
  RETURN_IF_ERROR(FromRocks(collections->status(), rocksdb_path()));
  std::string fresh;
  EncodeNumber(RecordKind::kFormat, kFormatKey, kStoreFormatVersion, &fresh);
  rocksdb::WriteOptions sync;
  sync.sync = true;
  RETURN_IF_ERROR(FromRocks(
      db_->Put(sync, handle(Family::kDefault), ToSlice(kFormatKey), fresh),
      absl::StrCat("write format version to ", rocksdb_path())));
  return WriteStoreMarker(files_.get(), path_);
}

absl::StatusOr<std::optional<std::string>> RocksInstance::Get(
    Family family, absl::string_view key,
    const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string record;
  const rocksdb::Status status =
      db_->Get(options, handle(family), ToSlice(key), &record);
  if (status.IsNotFound()) {
    return std::optional<std::string>();
  }
  if (!status.ok()) {
    return FromRocks(status, absl::StrCat("read from ", rocksdb_path()));
  }
  return std::optional<std::string>(std::move(record));
}

std::unique_ptr<rocksdb::Iterator> RocksInstance::NewIterator(
    Family family, const rocksdb::ReadOptions& options) const {
  return std::unique_ptr<rocksdb::Iterator>(
      db_->NewIterator(options, handle(family)));
}

}  // namespace sextant
