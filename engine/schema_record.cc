// SPDX-License-Identifier: Apache-2.0
#include "engine/schema_record.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "engine/text_change.h"

namespace sextant {
namespace {

storage::MetricRecord MetricToRecord(Metric metric) {
  switch (metric) {
    case Metric::kCosine:
      return storage::METRIC_RECORD_COSINE;
    case Metric::kInnerProduct:
      return storage::METRIC_RECORD_INNER_PRODUCT;
    case Metric::kL2:
      return storage::METRIC_RECORD_L2;
  }
  return storage::METRIC_RECORD_UNSPECIFIED;
}

absl::StatusOr<Metric> MetricFromRecord(storage::MetricRecord metric) {
  switch (metric) {
    case storage::METRIC_RECORD_COSINE:
      return Metric::kCosine;
    case storage::METRIC_RECORD_INNER_PRODUCT:
      return Metric::kInnerProduct;
    case storage::METRIC_RECORD_L2:
      return Metric::kL2;
    default:
      return absl::DataLossError(
          absl::StrCat("unknown metric ", static_cast<int>(metric)));
  }
}

storage::EncodingRecord EncodingToRecord(Encoding encoding) {
  switch (encoding) {
    case Encoding::kAuto:
      return storage::ENCODING_RECORD_AUTO;
    case Encoding::kFloat:
      return storage::ENCODING_RECORD_FLOAT;
    case Encoding::kBf16:
      return storage::ENCODING_RECORD_BF16;
    case Encoding::kInt8:
      return storage::ENCODING_RECORD_INT8;
    case Encoding::kInt4:
      return storage::ENCODING_RECORD_INT4;
    case Encoding::kBinary:
      return storage::ENCODING_RECORD_BINARY;
  }
  return storage::ENCODING_RECORD_AUTO;
}

absl::StatusOr<Encoding> EncodingFromRecord(storage::EncodingRecord encoding) {
  switch (encoding) {
    case storage::ENCODING_RECORD_AUTO:
      return Encoding::kAuto;
    case storage::ENCODING_RECORD_FLOAT:
      return Encoding::kFloat;
    case storage::ENCODING_RECORD_BF16:
      return Encoding::kBf16;
    case storage::ENCODING_RECORD_INT8:
      return Encoding::kInt8;
    case storage::ENCODING_RECORD_INT4:
      return Encoding::kInt4;
    case storage::ENCODING_RECORD_BINARY:
      return Encoding::kBinary;
    default:
      return absl::DataLossError(
          absl::StrCat("unknown encoding ", static_cast<int>(encoding)));
  }
}

storage::RerankRecord RerankToRecord(Rerank rerank) {
  switch (rerank) {
    case Rerank::kMemory:
      return storage::RERANK_RECORD_MEMORY;
    case Rerank::kMapped:
      return storage::RERANK_RECORD_MAPPED;
    case Rerank::kNone:
      return storage::RERANK_RECORD_NONE;
  }
  return storage::RERANK_RECORD_MEMORY;
}

absl::StatusOr<Rerank> RerankFromRecord(storage::RerankRecord rerank) {
  switch (rerank) {
    case storage::RERANK_RECORD_MEMORY:
      return Rerank::kMemory;
    case storage::RERANK_RECORD_MAPPED:
      return Rerank::kMapped;
    case storage::RERANK_RECORD_NONE:
      return Rerank::kNone;
    default:
      return absl::DataLossError(
          absl::StrCat("unknown re-rank placement ", static_cast<int>(rerank)));
  }
}

// Both have the same numbers, those of the records.
static_assert(static_cast<int>(FieldType::kInteger) ==
              storage::FIELD_TYPE_RECORD_INTEGER);
static_assert(static_cast<int>(FieldType::kFloat) ==
              storage::FIELD_TYPE_RECORD_FLOAT);
static_assert(static_cast<int>(FieldType::kTimestamp) ==
              storage::FIELD_TYPE_RECORD_TIMESTAMP);
static_assert(static_cast<int>(FieldType::kBoolean) ==
              storage::FIELD_TYPE_RECORD_BOOLEAN);
static_assert(static_cast<int>(FieldType::kKeyword) ==
              storage::FIELD_TYPE_RECORD_KEYWORD);

absl::StatusOr<FieldType> FieldTypeFromRecord(storage::FieldTypeRecord type) {
  if (type < storage::FIELD_TYPE_RECORD_INTEGER ||
      type > storage::FIELD_TYPE_RECORD_KEYWORD) {
    return absl::DataLossError(
        absl::StrCat("unknown field type ", static_cast<int>(type)));
  }
  return static_cast<FieldType>(type);
}

absl::StatusOr<IdKind> IdKindFromRecord(storage::IdKindRecord kind) {
  switch (kind) {
    case storage::ID_KIND_RECORD_NUMBER:
      return IdKind::kNumber;
    case storage::ID_KIND_RECORD_STRING:
      return IdKind::kString;
    default:
      return absl::DataLossError(
          absl::StrCat("unknown id kind ", static_cast<int>(kind)));
  }
}

static_assert(static_cast<int>(AnalyzerKind::kStandard) ==
              storage::ANALYZER_KIND_RECORD_STANDARD);
static_assert(static_cast<int>(AnalyzerKind::kKeyword) ==
              storage::ANALYZER_KIND_RECORD_KEYWORD);
static_assert(static_cast<int>(AnalyzerKind::kNgram) ==
              storage::ANALYZER_KIND_RECORD_NGRAM);
static_assert(static_cast<int>(AnalyzerKind::kEdgeNgram) ==
              storage::ANALYZER_KIND_RECORD_EDGE_NGRAM);

void TextFieldToRecord(const TextFieldSchema& field,
                       storage::TextFieldRecord* record) {
  const AnalyzerSpec& analysis = field.analysis;
  record->set_name(field.name);
  record->set_kind(static_cast<storage::AnalyzerKindRecord>(analysis.kind));
  record->set_language(analysis.language);
  for (const std::string& word : analysis.stop_words) {
    record->add_stop_words(word);
  }
  record->set_fold_accents(analysis.fold_accents);
  record->set_min_gram(analysis.min_gram);
  record->set_max_gram(analysis.max_gram);
  record->set_k1(field.bm25.k1);
  record->set_b(field.bm25.b);
  record->set_positions(field.positions);
  record->set_generation(field.generation);
}

absl::StatusOr<TextFieldSchema> TextFieldFromRecord(
    const storage::TextFieldRecord& record) {
  if (record.kind() < storage::ANALYZER_KIND_RECORD_STANDARD ||
      record.kind() > storage::ANALYZER_KIND_RECORD_EDGE_NGRAM) {
    return absl::DataLossError(
        absl::StrCat("unknown analyser ", static_cast<int>(record.kind())));
  }
  TextFieldSchema field;
  field.name = record.name();
  AnalyzerSpec& analysis = field.analysis;
  analysis.kind = static_cast<AnalyzerKind>(record.kind());
  analysis.language = record.language();
  analysis.stop_words.assign(record.stop_words().begin(),
                             record.stop_words().end());
  analysis.fold_accents = record.fold_accents();
  analysis.min_gram = record.min_gram();
  analysis.max_gram = record.max_gram();
  field.bm25 = {record.k1(), record.b()};
  field.positions = record.positions();
  field.generation = record.generation();
  return field;
}

void SetTextFields(const Schema& schema, storage::CollectionRecord* record) {
  record->clear_text_fields();
  for (const TextFieldSchema& field : schema.text_fields) {
    TextFieldToRecord(field, record->add_text_fields());
  }
  record->clear_text_change();
  if (schema.text_change.has_value()) {
    record->mutable_text_change()->set_field(schema.text_change->field);
    TextFieldToRecord(schema.text_change->next,
                      record->mutable_text_change()->mutable_next());
  }
  record->set_text_generation(schema.text_generation);
}

absl::Status ReadTextFields(const storage::CollectionRecord& record,
                            Schema* schema) {
  for (const storage::TextFieldRecord& field : record.text_fields()) {
    ASSIGN_OR_RETURN(TextFieldSchema text, TextFieldFromRecord(field));
    schema->text_fields.push_back(std::move(text));
  }
  schema->text_generation = record.text_generation();
  if (!record.has_text_change()) {
    return absl::OkStatus();
  }
  const uint32_t field = record.text_change().field();
  ASSIGN_OR_RETURN(TextFieldSchema next,
                   TextFieldFromRecord(record.text_change().next()));
  if (field >= schema->text_fields.size() ||
      schema->text_fields[field].name != next.name) {
    return absl::DataLossError(absl::StrCat("a change of text field ", field,
                                            ", '", next.name,
                                            "', which the collection lacks"));
  }
  schema->text_change =
      TextChange{static_cast<uint16_t>(field), std::move(next)};
  return absl::OkStatus();
}

}  // namespace

storage::CollectionRecord ToRecord(absl::string_view name,
                                   const Schema& schema) {
  storage::CollectionRecord record;
  record.set_name(std::string(name));
  record.set_id_kind(schema.id_kind == IdKind::kNumber
                         ? storage::ID_KIND_RECORD_NUMBER
                         : storage::ID_KIND_RECORD_STRING);
  for (const VectorFieldSchema& field : schema.vector_fields) {
    storage::VectorFieldRecord* out = record.add_vector_fields();
    out->set_name(field.name);
    out->set_dimension(field.dimension);
    out->set_metric(MetricToRecord(field.metric));
    out->set_m(field.graph.m);
    out->set_ef_construction(field.graph.ef_construction);
    out->set_encoding(EncodingToRecord(field.storage.encoding));
    out->set_rerank(RerankToRecord(field.storage.rerank));
  }
  SetFields(schema, &record);
  for (const SparseFieldSchema& field : schema.sparse_fields) {
    record.add_sparse_fields()->set_name(field.name);
  }
  return record;
}

void SetFields(const Schema& schema, storage::CollectionRecord* record) {
  record->clear_payload_fields();
  for (const PayloadFieldSchema& field : schema.payload_fields) {
    storage::PayloadFieldRecord* out = record->add_payload_fields();
    out->set_name(field.name);
    out->set_type(static_cast<storage::FieldTypeRecord>(field.type));
    out->set_window(field.window);
  }
  SetTextFields(schema, record);
}

absl::StatusOr<Schema> SchemaFromRecord(
    const storage::CollectionRecord& record) {
  Schema schema;
  ASSIGN_OR_RETURN(schema.id_kind, IdKindFromRecord(record.id_kind()));
  for (const storage::VectorFieldRecord& field : record.vector_fields()) {
    VectorFieldSchema& out = schema.vector_fields.emplace_back();
    out.name = field.name();
    out.dimension = field.dimension();
    ASSIGN_OR_RETURN(out.metric, MetricFromRecord(field.metric()));
    out.graph.m = field.m();
    out.graph.ef_construction = field.ef_construction();
    ASSIGN_OR_RETURN(out.storage.encoding,
                     EncodingFromRecord(field.encoding()));
    ASSIGN_OR_RETURN(out.storage.rerank, RerankFromRecord(field.rerank()));
  }
  for (const storage::PayloadFieldRecord& field : record.payload_fields()) {
    PayloadFieldSchema& out = schema.payload_fields.emplace_back();
    out.name = field.name();
    ASSIGN_OR_RETURN(out.type, FieldTypeFromRecord(field.type()));
    out.window = field.window();
  }
  RETURN_IF_ERROR(ReadTextFields(record, &schema));
  for (const storage::SparseFieldRecord& field : record.sparse_fields()) {
    schema.sparse_fields.push_back({field.name()});
  }
  absl::Status valid = ValidateSchema(schema);
  if (valid.ok() && schema.text_change.has_value()) {
    valid = ValidateSchema(WithTextChangeDone(schema));
  }
  if (!valid.ok()) {
    return absl::DataLossError(absl::StrCat(
        "collection record '", record.name(), "': ", valid.message()));
  }
  RETURN_IF_ERROR(OpenAnalyzers(&schema));
  return schema;
}

}  // namespace sextant
