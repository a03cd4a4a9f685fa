// SPDX-License-Identifier: Apache-2.0
//
// What a collection tells of itself.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "engine/normalizer_shift.h"
#include "engine/recall_probe.h"
#include "engine/schema.h"
#include "index/vector_index.h"
#include "ranking/hubness/hubness_measures.h"
#include "storage/records.h"

namespace sextant {

// How many rows of a field are searched by codes of one kind.
struct EncodingUse {
  std::string field;
  Encoding encoding = Encoding::kFloat;
  uint32_t segments = 0;
  uint64_t rows = 0;
  float recall_loss = 0;  // of the segment that lost most
};

struct IndexStats {
  uint32_t sealed_segments = 0;
  uint64_t unindexed_points = 0;
  uint64_t dead_rows = 0;
  uint64_t growing_bytes = 0;
  uint64_t sealed_bytes = 0;
  bool building = false;
  uint64_t build_rows_done = 0;
  uint64_t build_rows_total = 0;
  uint64_t rebuilds = 0;  // times the index was made anew from the store
  // Stored values that did not fit the type of a payload field, met since the
  // start.
  uint64_t payload_misfits = 0;
  // What the sealed segments' parts take, of all fields.
  IndexMemory memory;
  uint64_t ids_bytes = 0;
  uint64_t columns_bytes = 0;
  uint64_t windows_bytes = 0;
  uint64_t texts_bytes = 0;
  uint64_t sparse_bytes = 0;
  std::vector<EncodingUse> encodings;  // by field, then encoding
};

// How far the values of a payload field that was declared later are filled in.
struct FieldFill {
  std::string field;
  uint64_t points_done = 0;
  uint64_t points_total = 0;
};

// How far the texts of a field are indexed in another way.
struct TextChangeProgress {
  TextFieldSchema next;
  uint64_t points_done = 0;
  uint64_t points_total = 0;
};

// The last that was measured of a field's hubs, by raw scores or under a
// normaliser ("none", or its name).
struct HubnessRecord {
  std::string field;
  std::string normalizer;
  Hubness hubness;
};

struct CollectionInfo {
  std::string name;
  Schema schema;
  int64_t create_time_us = 0;  // Unix time
  uint64_t point_count = 0;
  Sequence applied_seq = 0;
  ContentHash content_hash;
  IndexStats index;
  // Of fields that cannot be filtered by yet.
  std::vector<FieldFill> fills;
  std::optional<TextChangeProgress> text_change;
  RecallStats recall;
  std::vector<HubnessRecord> hubness;  // by field and normaliser
  // As of the last comparison, by normaliser.
  std::vector<NormalizerShift> query_shifts;
  // Not OK: the collection's data is damaged; every other call on it returns
  // this.
  absl::Status health;
};

}  // namespace sextant
