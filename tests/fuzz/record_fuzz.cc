// SPDX-License-Identifier: Apache-2.0
//
// Records of the store with any body: decoding never crashes, and what decodes
// encodes to the same bytes.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/checksum.h"
#include "base/coding.h"
#include "storage/format.pb.h"
#include "storage/keys.h"
#include "storage/record_codec.h"

namespace sextant {
namespace {

// With a right version and checksum: no random body would come past them.
std::string Sealed(RecordKind kind, absl::string_view key,
                   absl::string_view body) {
  std::string record(1, static_cast<char>(kRecordVersion));
  record.append(body.data(), body.size());
  const uint64_t seed = Checksum64(key, static_cast<uint64_t>(kind));
  AppendLittleEndian<uint64_t>(&record, Checksum64(record, seed));
  return record;
}

void DecodePointRecords(absl::string_view key, absl::string_view body) {
  StoredPoint point;
  std::string again;
  const std::string payload = Sealed(RecordKind::kPoint, key, body);
  if (DecodePoint(key, payload, &point).ok()) {
    EncodePoint(key, point.seq, point.hash, point.payload, &again);
    CHECK(again == payload);
  }
  const std::string vectors = Sealed(RecordKind::kVectors, key, body);
  if (DecodeVectors(key, vectors, &point).ok()) {
    std::vector<FieldVector> fields;
    for (const StoredPoint::Field& field : point.vectors) {
      fields.push_back({field.field, field.values});
    }
    std::vector<FieldSparse> sparse;
    for (const StoredPoint::SparseField& field : point.sparse) {
      sparse.push_back({field.field, field.entries});
    }
    EncodeVectors(key, point.seq, point.hash, {fields, sparse}, &again);
    CHECK(again == vectors);
  }
}

void DecodeCollectionRecords(absl::string_view key, absl::string_view body) {
  std::string again;
  const std::string state = Sealed(RecordKind::kState, key, body);
  if (const auto decoded = DecodeState(key, state); decoded.ok()) {
    EncodeState(key, *decoded, &again);
    CHECK(again == state);
  }
  const std::string change = Sealed(RecordKind::kChange, key, body);
  if (const auto decoded = DecodeChange(key, change); decoded.ok()) {
    EncodeChange(key, *decoded, &again);
    CHECK(again == change);
  }
  (void)DecodeNumber(RecordKind::kFormat, key,
                     Sealed(RecordKind::kFormat, key, body));
  storage::CollectionRecord collection;
  (void)DecodeProto(RecordKind::kCollection, key,
                    Sealed(RecordKind::kCollection, key, body), &collection);
  storage::CheckpointRecord checkpoint;
  (void)DecodeProto(RecordKind::kCheckpoint, key,
                    Sealed(RecordKind::kCheckpoint, key, body), &checkpoint);
}

}  // namespace
}  // namespace sextant

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view body(reinterpret_cast<const char*>(data), size);
  const std::string key = sextant::ChangeKey(1, 7);
  sextant::DecodePointRecords(key, body);
  sextant::DecodeCollectionRecords(key, body);
  // As read from a disk: the checksum stops nearly all.
  sextant::StoredPoint point;
  (void)sextant::DecodePoint(key, body, &point);
  return 0;
}
