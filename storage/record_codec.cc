// SPDX-License-Identifier: Apache-2.0
#include "storage/record_codec.h"

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/checksum.h"
#include "base/coding.h"
#include "base/status_macros.h"
#include "storage/keys.h"

namespace sextant {
namespace {

constexpr size_t kChecksumSize = sizeof(uint64_t);

uint64_t SeedOf(RecordKind kind, absl::string_view key) {
  return Checksum64(key, static_cast<uint64_t>(kind));
}

void BeginRecord(std::string* record) {
  record->clear();
  record->push_back(static_cast<char>(kRecordVersion));
}

void SealRecord(RecordKind kind, absl::string_view key, std::string* record) {
  AppendLittleEndian<uint64_t>(record, Checksum64(*record, SeedOf(kind, key)));
}

void AppendHeader(Sequence seq, const ContentHash& hash, std::string* record) {
  AppendLittleEndian<uint64_t>(record, seq);
  AppendLittleEndian<uint64_t>(record, hash.low);
  AppendLittleEndian<uint64_t>(record, hash.high);
}

bool ConsumeHeader(absl::string_view* body, StoredPoint* point) {
  return ConsumeLittleEndian<uint64_t>(body, &point->seq) &&
         ConsumeLittleEndian<uint64_t>(body, &point->hash.low) &&
         ConsumeLittleEndian<uint64_t>(body, &point->hash.high);
}

void AppendIds(const std::vector<std::string>& ids, std::string* record) {
  AppendLittleEndian<uint32_t>(record, static_cast<uint32_t>(ids.size()));
  for (const std::string& id : ids) {
    AppendLengthPrefixed(record, id);
  }
}

bool ConsumeIds(absl::string_view* body, std::vector<std::string>* ids) {
  uint32_t count = 0;
  // Each id takes at least its length, so a count beyond that is damage; this
  // also bounds the allocation by the record's own size.
  if (!ConsumeLittleEndian<uint32_t>(body, &count) ||
      count > body->size() / sizeof(uint32_t)) {
    return false;
  }
  ids->reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    absl::string_view id;
    if (!ConsumeLengthPrefixed(body, &id)) {
      return false;
    }
    ids->emplace_back(id);
  }
  return true;
}

// A field's number, how many numbers or entries it has, and these.
template <typename Value>
void AppendField(uint16_t field, std::span<const Value> values,
                 std::string* record) {
  AppendLittleEndian<uint16_t>(record, field);
  AppendLittleEndian<uint32_t>(record, static_cast<uint32_t>(values.size()));
  record->append(reinterpret_cast<const char*>(values.data()),
                 values.size_bytes());
}

template <typename Value>
bool ConsumeField(absl::string_view* body, uint16_t* field,
                  std::vector<Value>* values) {
  uint32_t count = 0;
  if (!ConsumeLittleEndian<uint16_t>(body, field) ||
      !ConsumeLittleEndian<uint32_t>(body, &count) ||
      count > body->size() / sizeof(Value)) {
    return false;
  }
  values->resize(count);
  if (count > 0) {
    std::memcpy(values->data(), body->data(), count * sizeof(Value));
  }
  body->remove_prefix(count * sizeof(Value));
  return true;
}

// Of the number of dense vectors: sparse ones follow them. Records without
// sparse vectors are as they were before there were any.
constexpr uint16_t kHasSparse = 0x8000;

// One sparse vector at least.
bool ConsumeSparse(absl::string_view* body, StoredPoint* point) {
  uint16_t count = 0;
  if (!ConsumeLittleEndian<uint16_t>(body, &count) || count == 0) {
    return false;
  }
  point->sparse.resize(count);
  for (StoredPoint::SparseField& field : point->sparse) {
    if (!ConsumeField(body, &field.field, &field.entries)) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::string_view FamilyNameOf(RecordKind kind) {
  switch (kind) {
    case RecordKind::kFormat:
    case RecordKind::kNextCollection:
      return "default";
    case RecordKind::kCollection:
    case RecordKind::kState:
    case RecordKind::kCheckpoint:
    case RecordKind::kAttachment:
      return "collections";
    case RecordKind::kPoint:
      return "points";
    case RecordKind::kVectors:
      return "vectors";
    case RecordKind::kChange:
      return "changes";
  }
  return "unknown";
}

absl::Status RecordDataLoss(RecordKind kind, absl::string_view key,
                            absl::string_view what) {
  return absl::DataLossError(absl::StrCat("record in family '",
                                          FamilyNameOf(kind), "', ",
                                          PrintableKey(key), ": ", what));
}

void EncodeNumber(RecordKind kind, absl::string_view key, uint32_t number,
                  std::string* record) {
  BeginRecord(record);
  AppendLittleEndian<uint32_t>(record, number);
  SealRecord(kind, key, record);
}

void EncodeProto(RecordKind kind, absl::string_view key,
                 const google::protobuf::MessageLite& proto,
                 std::string* record) {
  BeginRecord(record);
  CHECK(proto.AppendToString(record)) << "message over 2 GiB";
  SealRecord(kind, key, record);
}

void EncodeState(absl::string_view key, const CollectionState& state,
                 std::string* record) {
  BeginRecord(record);
  AppendLittleEndian<uint64_t>(record, state.applied_seq);
  AppendLittleEndian<uint64_t>(record, state.live_count);
  AppendLittleEndian<uint64_t>(record, state.content_hash.low);
  AppendLittleEndian<uint64_t>(record, state.content_hash.high);
  SealRecord(RecordKind::kState, key, record);
}

void EncodeAttachment(absl::string_view key, absl::string_view bytes,
                      std::string* record) {
  BeginRecord(record);
  record->append(bytes.data(), bytes.size());
  SealRecord(RecordKind::kAttachment, key, record);
}

void EncodePoint(absl::string_view key, Sequence seq, const ContentHash& hash,
                 absl::string_view payload, std::string* record) {
  BeginRecord(record);
  AppendHeader(seq, hash, record);
  record->append(payload.data(), payload.size());
  SealRecord(RecordKind::kPoint, key, record);
}

void EncodeVectors(absl::string_view key, Sequence seq, const ContentHash& hash,
                   const PointVectors& vectors, std::string* record) {
  BeginRecord(record);
  AppendHeader(seq, hash, record);
  const bool has_sparse = !vectors.sparse.empty();
  AppendLittleEndian<uint16_t>(
      record, static_cast<uint16_t>(vectors.dense.size() |
                                    (has_sparse ? kHasSparse : 0U)));
  for (const FieldVector& vector : vectors.dense) {
    AppendField(vector.field, vector.values, record);
  }
  if (has_sparse) {
    AppendLittleEndian<uint16_t>(record,
                                 static_cast<uint16_t>(vectors.sparse.size()));
    for (const FieldSparse& vector : vectors.sparse) {
      AppendField(vector.field, vector.entries, record);
    }
  }
  SealRecord(RecordKind::kVectors, key, record);
}

void EncodeChange(absl::string_view key, const Change& change,
                  std::string* record) {
  BeginRecord(record);
  AppendIds(change.upserted, record);
  AppendIds(change.deleted, record);
  SealRecord(RecordKind::kChange, key, record);
}

absl::StatusOr<absl::string_view> OpenRecord(RecordKind kind,
                                             absl::string_view key,
                                             absl::string_view record) {
  if (record.size() < kRecordOverhead) {
    return RecordDataLoss(
        kind, key, absl::StrCat("cut off after ", record.size(), " bytes"));
  }
  const auto version = static_cast<uint8_t>(record[0]);
  if (version != kRecordVersion) {
    return RecordDataLoss(
        kind, key,
        absl::StrCat("record version ", version, ", this program reads ",
                     kRecordVersion));
  }
  const absl::string_view covered =
      record.substr(0, record.size() - kChecksumSize);
  const uint64_t stored =
      LoadLittleEndian<uint64_t>(record.data() + covered.size());
  if (Checksum64(covered, SeedOf(kind, key)) != stored) {
    return RecordDataLoss(kind, key, "checksum mismatch");
  }
  return covered.substr(1);
}

absl::StatusOr<uint32_t> DecodeNumber(RecordKind kind, absl::string_view key,
                                      absl::string_view record) {
  ASSIGN_OR_RETURN(absl::string_view body, OpenRecord(kind, key, record));
  uint32_t number = 0;
  if (!ConsumeLittleEndian<uint32_t>(&body, &number) || !body.empty()) {
    return RecordDataLoss(kind, key, "malformed body");
  }
  return number;
}

absl::Status DecodeProto(RecordKind kind, absl::string_view key,
                         absl::string_view record,
                         google::protobuf::MessageLite* proto) {
  ASSIGN_OR_RETURN(const absl::string_view body, OpenRecord(kind, key, record));
  if (!proto->ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return RecordDataLoss(kind, key, "malformed body");
  }
  return absl::OkStatus();
}

absl::StatusOr<CollectionState> DecodeState(absl::string_view key,
                                            absl::string_view record) {
  ASSIGN_OR_RETURN(absl::string_view body,
                   OpenRecord(RecordKind::kState, key, record));
  CollectionState state;
  if (!ConsumeLittleEndian<uint64_t>(&body, &state.applied_seq) ||
      !ConsumeLittleEndian<uint64_t>(&body, &state.live_count) ||
      !ConsumeLittleEndian<uint64_t>(&body, &state.content_hash.low) ||
      !ConsumeLittleEndian<uint64_t>(&body, &state.content_hash.high) ||
      !body.empty()) {
    return RecordDataLoss(RecordKind::kState, key, "malformed body");
  }
  return state;
}

absl::Status DecodePoint(absl::string_view key, absl::string_view record,
                         StoredPoint* point) {
  ASSIGN_OR_RETURN(absl::string_view body,
                   OpenRecord(RecordKind::kPoint, key, record));
  if (!ConsumeHeader(&body, point)) {
    return RecordDataLoss(RecordKind::kPoint, key, "malformed body");
  }
  point->payload.assign(body.data(), body.size());
  return absl::OkStatus();
}

absl::Status DecodeVectors(absl::string_view key, absl::string_view record,
                           StoredPoint* point) {
  ASSIGN_OR_RETURN(absl::string_view body,
                   OpenRecord(RecordKind::kVectors, key, record));
  uint16_t count = 0;
  if (!ConsumeHeader(&body, point) ||
      !ConsumeLittleEndian<uint16_t>(&body, &count)) {
    return RecordDataLoss(RecordKind::kVectors, key, "malformed body");
  }
  const bool has_sparse = (count & kHasSparse) != 0;
  count = static_cast<uint16_t>(count & ~kHasSparse);
  point->vectors.resize(count);
  for (StoredPoint::Field& field : point->vectors) {
    if (!ConsumeField(&body, &field.field, &field.values)) {
      return RecordDataLoss(RecordKind::kVectors, key, "malformed body");
    }
  }
  point->sparse.clear();
  if (has_sparse && !ConsumeSparse(&body, point)) {
    return RecordDataLoss(RecordKind::kVectors, key, "malformed body");
  }
  if (!body.empty()) {
    return RecordDataLoss(RecordKind::kVectors, key, "bytes after the body");
  }
  return absl::OkStatus();
}

absl::StatusOr<Change> DecodeChange(absl::string_view key,
                                    absl::string_view record) {
  ASSIGN_OR_RETURN(absl::string_view body,
                   OpenRecord(RecordKind::kChange, key, record));
  Change change;
  if (!ParseChangeKey(key, &change.seq) ||
      !ConsumeIds(&body, &change.upserted) ||
      !ConsumeIds(&body, &change.deleted) || !body.empty()) {
    return RecordDataLoss(RecordKind::kChange, key, "malformed body");
  }
  return change;
}

}  // namespace sextant
