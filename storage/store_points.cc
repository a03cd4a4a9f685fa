// SPDX-License-Identifier: Apache-2.0
//
// Views and reading points by id.

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "storage/keys.h"
#include "storage/point_scan.h"
#include "storage/record_codec.h"
#include "storage/rocks_status.h"
#include "storage/store.h"
#include "storage/store_rep.h"

namespace sextant {
namespace {

// The records of one family under some keys, fetched together.
struct FetchedRecords {
  std::vector<rocksdb::PinnableSlice> values;
  std::vector<rocksdb::Status> statuses;
};

FetchedRecords Fetch(const RocksInstance& rocks, Family family,
                     const rocksdb::Snapshot* snapshot,
                     const std::vector<rocksdb::Slice>& keys) {
  FetchedRecords fetched{std::vector<rocksdb::PinnableSlice>(keys.size()),
                         std::vector<rocksdb::Status>(keys.size())};
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  rocks.db()->MultiGet(options, rocks.handle(family), keys.size(), keys.data(),
                       fetched.values.data(), fetched.statuses.data());
  return fetched;
}

using DecodeFn = absl::Status (*)(absl::string_view key,
                                  absl::string_view record, StoredPoint* point);

// Adds one family's part to `points`. A part that only one of two families has
// is damage.
absl::Status Merge(const FetchedRecords& fetched, RecordKind kind,
                   const std::vector<rocksdb::Slice>& keys, DecodeFn decode,
                   std::vector<std::optional<StoredPoint>>* points) {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (fetched.statuses[i].IsNotFound()) {
      continue;
    }
    const absl::string_view key = ToView(keys[i]);
    RETURN_IF_ERROR(FromRocks(fetched.statuses[i],
                              absl::StrCat("read family '", FamilyNameOf(kind),
                                           "', ", PrintableKey(key))));
    StoredPoint& point = (*points)[i].emplace();
    RETURN_IF_ERROR(decode(key, ToView(fetched.values[i]), &point));
  }
  return absl::OkStatus();
}

absl::Status MergeBoth(const FetchedRecords& payloads,
                       const FetchedRecords& vectors,
                       const std::vector<rocksdb::Slice>& keys,
                       std::vector<std::optional<StoredPoint>>* points) {
  RETURN_IF_ERROR(
      Merge(payloads, RecordKind::kPoint, keys, DecodePoint, points));
  std::vector<std::optional<StoredPoint>> halves(keys.size());
  RETURN_IF_ERROR(
      Merge(vectors, RecordKind::kVectors, keys, DecodeVectors, &halves));
  for (size_t i = 0; i < keys.size(); ++i) {
    std::optional<StoredPoint>& point = (*points)[i];
    std::optional<StoredPoint>& half = halves[i];
    RETURN_IF_ERROR(CheckHalves(ToView(keys[i]), point ? &*point : nullptr,
                                half ? &*half : nullptr));
    if (point.has_value()) {
      point->vectors = std::move(half->vectors);
      point->sparse = std::move(half->sparse);
    }
  }
  return absl::OkStatus();
}

}  // namespace

RocksView::RocksView(rocksdb::DB* db, std::atomic<int>* open_views)
    : db_(db), open_views_(open_views), snapshot_(db->GetSnapshot()) {
  open_views_->fetch_add(1);
}

RocksView::~RocksView() {
  db_->ReleaseSnapshot(snapshot_);
  open_views_->fetch_sub(1);
}

const rocksdb::Snapshot* RocksView::SnapshotOf(const StoreView* view) {
  return view == nullptr ? nullptr
                         : static_cast<const RocksView*>(view)->snapshot_;
}

std::shared_ptr<const StoreView> Store::View() const {
  return std::make_shared<const RocksView>(rep_->rocks->db(),
                                           &rep_->open_views);
}

absl::StatusOr<std::vector<std::optional<StoredPoint>>> Store::ReadPoints(
    const StoreView* view, CollectionNumber collection,
    std::span<const absl::string_view> ids, ReadParts parts) const {
  std::vector<std::string> key_bytes;
  key_bytes.reserve(ids.size());
  std::vector<rocksdb::Slice> keys;
  keys.reserve(ids.size());
  for (const absl::string_view id : ids) {
    keys.emplace_back(key_bytes.emplace_back(PointKey(collection, id)));
  }
  std::vector<std::optional<StoredPoint>> points(ids.size());
  const rocksdb::Snapshot* snapshot = RocksView::SnapshotOf(view);
  if (parts.vectors && parts.payload) {
    // Both halves must be of one moment.
    std::optional<RocksView> now;
    if (view == nullptr) {
      now.emplace(rep_->rocks->db(), &rep_->open_views);
      snapshot = RocksView::SnapshotOf(&*now);
    }
    const FetchedRecords payloads =
        Fetch(*rep_->rocks, Family::kPoints, snapshot, keys);
    const FetchedRecords vectors =
        Fetch(*rep_->rocks, Family::kVectors, snapshot, keys);
    RETURN_IF_ERROR(MergeBoth(payloads, vectors, keys, &points));
  } else if (parts.vectors) {
    RETURN_IF_ERROR(Merge(Fetch(*rep_->rocks, Family::kVectors, snapshot, keys),
                          RecordKind::kVectors, keys, DecodeVectors, &points));
  } else {
    RETURN_IF_ERROR(Merge(Fetch(*rep_->rocks, Family::kPoints, snapshot, keys),
                          RecordKind::kPoint, keys, DecodePoint, &points));
    for (std::optional<StoredPoint>& point : points) {
      if (!parts.payload && point.has_value()) {
        point->payload.clear();
      }
    }
  }
  return points;
}

std::unique_ptr<PointScan> Store::ScanPoints(const StoreView* view,
                                             CollectionNumber collection,
                                             absl::string_view after,
                                             ReadParts parts) const {
  std::unique_ptr<const RocksView> own_view;
  if (view == nullptr) {
    own_view =
        std::make_unique<const RocksView>(rep_->rocks->db(), &rep_->open_views);
    view = own_view.get();
  }
  return std::make_unique<RocksPointScan>(
      *rep_->rocks, RocksView::SnapshotOf(view), std::move(own_view),
      RocksPointScan::Range{collection, std::string(after)}, parts);
}

}  // namespace sextant
