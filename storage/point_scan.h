// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"

#include "storage/rocks_instance.h"
#include "storage/store.h"

namespace sextant {

// Both records of a point exist, and one write wrote them; else kDataLoss.
// Null = there is no such record.
absl::Status CheckHalves(absl::string_view key, const StoredPoint* payload,
                         const StoredPoint* vectors);

// Walks the families `points` and `vectors` in step, on one snapshot. One
// thread; must be gone before its store.
class RocksPointScan final : public PointScan {
 public:
  struct Range {
    CollectionNumber collection = 0;
    std::string after;
  };

  // `own_view` is null or holds `snapshot`.
  RocksPointScan(const RocksInstance& rocks, const rocksdb::Snapshot* snapshot,
                 std::unique_ptr<const StoreView> own_view, const Range& range,
                 ReadParts parts);

  bool Next() override;
  absl::string_view id() const override { return id_; }
  const StoredPoint& point() const override { return point_; }
  absl::Status status() const override { return status_; }

 private:
  void Open(const RocksInstance& rocks, const rocksdb::Snapshot* snapshot,
            const std::string& first);
  absl::Status Read();

  // Declared first: iterators go before the snapshot they read.
  const std::unique_ptr<const StoreView> own_view_;
  const ReadParts parts_;
  const std::string end_;
  // The iterators keep a pointer to it.
  const rocksdb::Slice end_slice_;
  // Null when that part was not asked for.
  std::unique_ptr<rocksdb::Iterator> payloads_;
  std::unique_ptr<rocksdb::Iterator> vectors_;
  bool started_ = false;
  std::string id_;
  StoredPoint point_;
  StoredPoint vectors_half_;
  absl::Status status_;
};

}  // namespace sextant
