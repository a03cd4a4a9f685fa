// SPDX-License-Identifier: Apache-2.0
#include "storage/write_set.h"

#include <string>

#include "storage/column_families.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocks_status.h"
#include "storage/write_set_rep.h"

namespace sextant {
WriteSet::WriteSet(CollectionNumber collection, size_t size_hint)
    : rep_(std::make_unique<Rep>(collection, size_hint)) {}
WriteSet::~WriteSet() = default;
WriteSet::WriteSet(WriteSet&&) noexcept = default;
WriteSet& WriteSet::operator=(WriteSet&&) noexcept = default;

void WriteSet::Put(Sequence seq, const PointView& point,
                   const ContentHash& hash) {
  const std::string key = PointKey(rep_->collection, point.id);
  // Both records are always written, also with no vectors, so that either can
  // be read alone and a missing half is noticed.
  EncodePoint(key, seq, hash, point.payload, &rep_->record);
  MustSucceed(rep_->batch.Put(BatchHandle(Family::kPoints), key, rep_->record));
  EncodeVectors(key, seq, hash, {point.vectors, point.sparse}, &rep_->record);
  MustSucceed(
      rep_->batch.Put(BatchHandle(Family::kVectors), key, rep_->record));
}

void WriteSet::Delete(absl::string_view id) {
  const std::string key = PointKey(rep_->collection, id);
  MustSucceed(rep_->batch.Delete(BatchHandle(Family::kPoints), key));
  MustSucceed(rep_->batch.Delete(BatchHandle(Family::kVectors), key));
}

void WriteSet::AppendChange(const Change& change) {
  const std::string key = ChangeKey(rep_->collection, change.seq);
  EncodeChange(key, change, &rep_->record);
  MustSucceed(
      rep_->batch.Put(BatchHandle(Family::kChanges), key, rep_->record));
}

void WriteSet::SetState(const CollectionState& state) {
  const std::string key =
      CollectionPartKey(rep_->collection, CollectionPart::kState);
  EncodeState(key, state, &rep_->record);
  MustSucceed(
      rep_->batch.Put(BatchHandle(Family::kCollections), key, rep_->record));
  rep_->has_state = true;
}

size_t WriteSet::size_bytes() const {
  return rep_->batch.GetDataSize();
}

}  // namespace sextant
