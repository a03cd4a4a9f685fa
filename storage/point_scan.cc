// SPDX-License-Identifier: Apache-2.0
#include "storage/point_scan.h"

#include <utility>

#include "base/status_macros.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocks_status.h"

namespace sextant {
namespace {

constexpr size_t kReadaheadBytes = size_t{2} << 20U;

std::unique_ptr<rocksdb::Iterator> NewScan(const RocksInstance& rocks,
                                           Family family,
                                           rocksdb::ReadOptions options,
                                           const std::string& first) {
  std::unique_ptr<rocksdb::Iterator> it = rocks.NewIterator(family, options);
  it->Seek(first);
  return it;
}

}  // namespace

absl::Status CheckHalves(absl::string_view key, const StoredPoint* payload,
                         const StoredPoint* vectors) {
  if (payload == nullptr && vectors == nullptr) {
    return absl::OkStatus();
  }
  if (payload == nullptr) {
    return RecordDataLoss(RecordKind::kPoint, key, "missing");
  }
  if (vectors == nullptr) {
    return RecordDataLoss(RecordKind::kVectors, key, "missing");
  }
  if (payload->seq != vectors->seq || payload->hash != vectors->hash) {
    return RecordDataLoss(RecordKind::kVectors, key,
                          "written by another change than the payload");
  }
  return absl::OkStatus();
}

RocksPointScan::RocksPointScan(const RocksInstance& rocks,
                               const rocksdb::Snapshot* snapshot,
                               std::unique_ptr<const StoreView> own_view,
                               const Range& range, ReadParts parts)
    : own_view_(std::move(own_view)),
      parts_(parts),
      end_(CollectionEnd(range.collection)),
      end_slice_(end_) {
  // The smallest key above `after`; "" is no id, so it skips nothing.
  std::string first = PointKey(range.collection, range.after);
  if (!range.after.empty()) {
    first.push_back('\0');
  }
  Open(rocks, snapshot, first);
}

void RocksPointScan::Open(const RocksInstance& rocks,
                          const rocksdb::Snapshot* snapshot,
                          const std::string& first) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.iterate_upper_bound = &end_slice_;
  // A scan reads each block once; it must not push out the cache.
  options.fill_cache = false;
  options.readahead_size = kReadaheadBytes;
  // Without any part, ids still come from the smaller family.
  if (parts_.payload || !parts_.vectors) {
    payloads_ = NewScan(rocks, Family::kPoints, options, first);
  }
  if (parts_.vectors) {
    vectors_ = NewScan(rocks, Family::kVectors, options, first);
  }
}

bool RocksPointScan::Next() {
  if (!status_.ok()) {
    return false;
  }
  for (rocksdb::Iterator* it : {payloads_.get(), vectors_.get()}) {
    if (it != nullptr && started_ && it->Valid()) {
      it->Next();
    }
  }
  started_ = true;
  bool valid = false;
  for (const rocksdb::Iterator* it : {payloads_.get(), vectors_.get()}) {
    if (it == nullptr) {
      continue;
    }
    valid = valid || it->Valid();
    if (!it->status().ok()) {
      status_ = FromRocks(it->status(), "scan points");
      return false;
    }
  }
  if (!valid) {
    return false;
  }
  status_ = Read();
  return status_.ok();
}

absl::Status RocksPointScan::Read() {
  const rocksdb::Iterator* payloads = payloads_.get();
  const rocksdb::Iterator* vectors = vectors_.get();
  if (payloads != nullptr && vectors != nullptr) {
    // The one that is behind stands on a key the other does not have.
    const bool has_payload =
        payloads->Valid() &&
        (!vectors->Valid() || payloads->key().compare(vectors->key()) <= 0);
    const bool has_vectors =
        vectors->Valid() &&
        (!payloads->Valid() || vectors->key().compare(payloads->key()) <= 0);
    if (!has_payload || !has_vectors) {
      const rocksdb::Slice key = has_payload ? payloads->key() : vectors->key();
      return CheckHalves(ToView(key), has_payload ? &point_ : nullptr,
                         has_vectors ? &vectors_half_ : nullptr);
    }
  }
  const absl::string_view key =
      ToView(payloads != nullptr ? payloads->key() : vectors->key());
  id_ = std::string(key.substr(kCollectionPrefixSize));
  if (payloads != nullptr) {
    RETURN_IF_ERROR(DecodePoint(key, ToView(payloads->value()), &point_));
    if (!parts_.payload) {
      point_.payload.clear();
    }
  }
  if (vectors != nullptr) {
    RETURN_IF_ERROR(
        DecodeVectors(key, ToView(vectors->value()), &vectors_half_));
    if (payloads != nullptr) {
      RETURN_IF_ERROR(CheckHalves(key, &point_, &vectors_half_));
    } else {
      point_.seq = vectors_half_.seq;
      point_.hash = vectors_half_.hash;
    }
    // Swapping keeps the memory of both for the next point.
    std::swap(point_.vectors, vectors_half_.vectors);
    std::swap(point_.sparse, vectors_half_.sparse);
  }
  return absl::OkStatus();
}

}  // namespace sextant
