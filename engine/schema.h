// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/point.h"
#include "index/columns/field_value.h"
#include "index/encoding.h"
#include "index/metric.h"
#include "index/text/analyzer.h"
#include "index/text/bound_text_query.h"
#include "index/vector_index_builder.h"

namespace sextant {

struct VectorFieldSchema {
  std::string name;
  uint32_t dimension = 0;
  Metric metric = Metric::kCosine;
  GraphParameters graph;
  VectorStorage storage;
};

// A part of the payload that filters, counts and orders may name.
struct PayloadFieldSchema {
  // A key of the payload's object, or the keys down to one, joined by dots.
  std::string name;
  FieldType type = FieldType::kKeyword;
  // Ranges of it are searched by an index of their own. At most one value a
  // point.
  bool window = false;
};

// A part of the payload that is searched as text.
struct TextFieldSchema {
  // As of a payload field; the two may be the same.
  std::string name;
  AnalyzerSpec analysis;
  Bm25Params bm25;
  bool positions = true;  // needed by phrases
  // Another one with each change of how texts are indexed, so that postings of
  // one analysis are never taken for those of another.
  uint32_t generation = 0;
  // Of `analysis`; made by OpenAnalyzers.
  std::shared_ptr<const Analyzer> analyzer = nullptr;
};

// What a text field is going to be. Its texts are indexed both ways until all
// of them are.
struct TextChange {
  uint16_t field = 0;    // position
  TextFieldSchema next;  // of the same name
};

// A field of sparse vectors, compared by inner product.
struct SparseFieldSchema {
  std::string name;  // unlike those of the vector fields
};

// What a collection is made of. Fixed at creation, but for payload fields that
// are declared later: they are appended, so positions stay what they are; and
// for the analysis of text fields, of which one may be about to change.
struct Schema {
  std::vector<VectorFieldSchema> vector_fields;
  IdKind id_kind = IdKind::kNumber;
  std::vector<PayloadFieldSchema> payload_fields;
  std::vector<TextFieldSchema> text_fields;
  std::vector<SparseFieldSchema> sparse_fields = {};
  std::optional<TextChange> text_change = std::nullopt;
  uint32_t text_generation = 0;  // the highest that was ever given

  // What is indexed of texts: every text field, by its position, and what one
  // of them is going to be, last.
  size_t text_index_count() const {
    return text_fields.size() + (text_change.has_value() ? 1 : 0);
  }
  const TextFieldSchema& text_index(size_t i) const {
    return i < text_fields.size() ? text_fields[i] : text_change->next;
  }

  // Position of a field, by name.
  std::optional<uint16_t> FindVectorField(absl::string_view name) const;
  std::optional<uint16_t> FindPayloadField(absl::string_view name) const;
  std::optional<uint16_t> FindTextField(absl::string_view name) const;
  std::optional<uint16_t> FindSparseField(absl::string_view name) const;
};

// Position of a vector field by name; an empty one is that of the only field
// there is. Else InvalidField(path, ...).
absl::StatusOr<uint16_t> RequireVectorField(const Schema& schema,
                                            absl::string_view name,
                                            absl::string_view path);

// ^[A-Za-z0-9_-]{1,64}$, else InvalidField(field, ...).
absl::Status ValidateName(absl::string_view name, absl::string_view field);
// Field paths are relative to the schema ("vector_fields[0].dimension").
absl::Status ValidateSchema(const Schema& schema);

// Makes the analysers of a valid schema; kInternal when ICU lacks its data.
absl::Status OpenAnalyzers(Schema* schema);

// The schema with one payload field more, the last. kAlreadyExists when its
// name is taken; InvalidField with paths like "field.name".
absl::StatusOr<Schema> WithPayloadField(const Schema& schema,
                                        const PayloadFieldSchema& field);

absl::string_view MetricName(Metric metric);  // "cosine", "inner_product", "l2"

}  // namespace sextant
