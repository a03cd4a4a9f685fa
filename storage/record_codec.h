// SPDX-License-Identifier: Apache-2.0
//
// How records lie in RocksDB:
//
//   record = version (1 byte) | body | XXH3-64 (8 bytes, little-endian)
//
// The checksum covers version and body; its seed is the hash of the record's
// kind and key, so a record found under another key or in another family is
// damaged too. Integers in bodies are little-endian. Decoding is strict: every
// byte must be accounted for; kDataLoss names family and key.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"

#include "storage/records.h"

namespace sextant {

// The values are part of the checksums on disk.
enum class RecordKind : uint8_t {
  kFormat = 1,          // u32: format version of the whole store
  kNextCollection = 2,  // u32: number for the next collection
  kCollection = 3,      // protobuf CollectionRecord
  kState = 4,           // u64 applied_seq, u64 live_count, u64 hash x 2
  kCheckpoint = 5,      // protobuf CheckpointRecord
  kPoint = 6,           // u64 seq, u64 hash x 2, payload
  kVectors = 7,         // u64 seq, u64 hash x 2, u16 n, n x (u16 field, u32
                        // count, count x float); with sparse vectors n has the
                        // bit 0x8000, and there follow u16 m, m x (u16 field,
                        // u32 count, count x (u32 index, float weight)), m > 0
  kChange = 8,          // u32 n, n x (u32 size, id), the same for deletes
  kAttachment = 9,      // bytes that the engine understands
};

inline constexpr uint8_t kRecordVersion = 1;
// Version byte and checksum.
inline constexpr size_t kRecordOverhead = 9;

// The column family that holds records of this kind.
absl::string_view FamilyNameOf(RecordKind kind);

// kDataLoss, "points record of collection 7, key "abc": <what>".
absl::Status RecordDataLoss(RecordKind kind, absl::string_view key,
                            absl::string_view what);

// --- encoding; each replaces `*record` and keeps its capacity ---
void EncodeNumber(RecordKind kind, absl::string_view key, uint32_t number,
                  std::string* record);
void EncodeProto(RecordKind kind, absl::string_view key,
                 const google::protobuf::MessageLite& proto,
                 std::string* record);
void EncodeState(absl::string_view key, const CollectionState& state,
                 std::string* record);
// OpenRecord reads it.
void EncodeAttachment(absl::string_view key, absl::string_view bytes,
                      std::string* record);
void EncodePoint(absl::string_view key, Sequence seq, const ContentHash& hash,
                 absl::string_view payload, std::string* record);
void EncodeVectors(absl::string_view key, Sequence seq, const ContentHash& hash,
                   const PointVectors& vectors, std::string* record);
void EncodeChange(absl::string_view key, const Change& change,
                  std::string* record);

// --- decoding ---
// Checks version and checksum and returns the body.
absl::StatusOr<absl::string_view> OpenRecord(RecordKind kind,
                                             absl::string_view key,
                                             absl::string_view record);
absl::StatusOr<uint32_t> DecodeNumber(RecordKind kind, absl::string_view key,
                                      absl::string_view record);
absl::Status DecodeProto(RecordKind kind, absl::string_view key,
                         absl::string_view record,
                         google::protobuf::MessageLite* proto);
absl::StatusOr<CollectionState> DecodeState(absl::string_view key,
                                            absl::string_view record);
// Fills in seq, hash and payload.
absl::Status DecodePoint(absl::string_view key, absl::string_view record,
                         StoredPoint* point);
// Fills in seq, hash and vectors of both kinds; reuses their memory.
absl::Status DecodeVectors(absl::string_view key, absl::string_view record,
                           StoredPoint* point);
absl::StatusOr<Change> DecodeChange(absl::string_view key,
                                    absl::string_view record);

}  // namespace sextant
