// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

// What describes a collection.
namespace sextant::client {

enum class Metric { kCosine, kInnerProduct, kL2 };
enum class IdKind { kNumber, kString };

// What graph searches read of a vector. kAuto: the cheapest that loses no
// recall, chosen anew whenever a segment is sealed.
enum class Encoding { kAuto, kFloat, kBf16, kInt8, kInt4, kBinary };
// Where the float vectors lie that score what codes found.
enum class Rerank { kMemory, kMapped, kNone };

struct VectorField {
  std::string name;
  uint32_t dimension = 0;
  Metric metric = Metric::kCosine;
  // HNSW build parameters; 0 = the server's default.
  uint32_t m = 0;
  uint32_t ef_construction = 0;
  Encoding encoding = Encoding::kAuto;
  Rerank rerank = Rerank::kMemory;
};

enum class FieldType { kInteger, kFloat, kTimestamp, kBoolean, kKeyword };

// A part of the payload that filters, counts and orders may name.
struct PayloadField {
  // A key of the payload, or several down to one: "author.name".
  std::string name;
  FieldType type = FieldType::kKeyword;
  // Searches with a range of it are to be fast; at most one value a point.
  bool window = false;
};

enum class AnalyzerKind { kStandard, kKeyword, kNgram, kEdgeNgram };

// A part of the payload that is searched as text.
struct TextField {
  std::string name;
  AnalyzerKind analyzer = AnalyzerKind::kStandard;
  // Stemming: "english"; empty: none.
  std::string language;
};

// All of how a text becomes tokens.
struct Analyzer {
  AnalyzerKind kind = AnalyzerKind::kStandard;
  std::string language;  // as above
  std::vector<std::string> stop_words;
  bool keep_accents = false;
  uint32_t min_gram = 0;  // 0: the default
  uint32_t max_gram = 0;
};

// What is to be different about a text field.
struct TextFieldUpdate {
  std::string field;
  // Not set: as it is. At least one is.
  std::optional<Analyzer> analyzer;
  std::optional<bool> positions;
};

// A field of sparse vectors, compared by inner product.
struct SparseField {
  std::string name;
};

// What is indexed of a text, and where it stood.
struct Token {
  std::string term;
  uint32_t position = 0;
  uint32_t begin = 0;  // bytes of the text
  uint32_t end = 0;
};

struct CollectionSchema {
  std::vector<VectorField> vector_fields;
  IdKind id_kind = IdKind::kNumber;
  std::vector<PayloadField> payload_fields;
  std::vector<TextField> text_fields;
  std::vector<SparseField> sparse_fields = {};
};

// Bytes of the parts of the sealed segments.
struct IndexMemory {
  uint64_t graph = 0;
  uint64_t codes = 0;
  uint64_t vectors = 0;         // floats in memory
  uint64_t mapped_vectors = 0;  // floats in mapped files
  uint64_t disk_vectors = 0;    // floats that graph searches do not read
  uint64_t ids = 0;
  uint64_t columns = 0;  // of payload fields
  uint64_t windows = 0;  // codes in the order of window fields
  uint64_t texts = 0;    // words of text fields
  uint64_t sparse = 0;   // sparse vectors
};

// How many rows graph searches read in one encoding.
struct EncodingUse {
  std::string field;
  Encoding encoding = Encoding::kFloat;
  uint32_t segments = 0;
  uint64_t rows = 0;
  double recall_loss = 0;  // when sealed, against floats, on a sample
};

// State of a collection's search structures.
struct IndexStats {
  uint32_t sealed_segments = 0;
  uint64_t unindexed_points = 0;
  uint64_t dead_rows = 0;
  uint64_t growing_bytes = 0;
  uint64_t sealed_bytes = 0;
  bool building = false;
  uint64_t build_rows_done = 0;
  uint64_t build_rows_total = 0;
  IndexMemory memory;
  std::vector<EncodingUse> encodings;
  // Stored values that did not fit an added payload field, since the start.
  uint64_t payload_misfits = 0;
};

// How far the values of an added payload field are filled in.
struct FieldFill {
  std::string field;
  uint64_t points_done = 0;
  uint64_t points_total = 0;
};

// How far the texts of a field are indexed in another way.
struct TextFieldChange {
  TextField next;
  uint64_t points_done = 0;
  uint64_t points_total = 0;
};

struct CollectionInfo {
  std::string name;
  CollectionSchema schema;
  absl::Time create_time;
  uint64_t point_count = 0;
  uint64_t applied_seq = 0;
  std::string content_hash;
  IndexStats index;
  // Of added payload fields that not all points have yet.
  std::vector<FieldFill> fills;
  // While a text field changes; `schema` has it as it is searched until then.
  std::optional<TextFieldChange> text_field_change;
};

}  // namespace sextant::client
