// SPDX-License-Identifier: Apache-2.0
#include "server/convert/collection.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/checksum.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"

namespace sextant {
namespace {

absl::StatusOr<Metric> ToMetric(v1::Metric metric, absl::string_view path) {
  switch (metric) {
    case v1::METRIC_COSINE:
      return Metric::kCosine;
    case v1::METRIC_INNER_PRODUCT:
      return Metric::kInnerProduct;
    case v1::METRIC_L2:
      return Metric::kL2;
    default:
      break;
  }
  constexpr absl::string_view kKnown =
      "METRIC_COSINE, METRIC_INNER_PRODUCT or METRIC_L2";
  if (metric == v1::METRIC_UNSPECIFIED) {
    return InvalidField(path, absl::StrCat("required: ", kKnown));
  }
  return InvalidField(path, absl::StrCat("must be ", kKnown, ", got number ",
                                         static_cast<int>(metric)));
}

v1::Metric FromMetric(Metric metric) {
  switch (metric) {
    case Metric::kCosine:
      return v1::METRIC_COSINE;
    case Metric::kInnerProduct:
      return v1::METRIC_INNER_PRODUCT;
    case Metric::kL2:
      return v1::METRIC_L2;
  }
  return v1::METRIC_UNSPECIFIED;
}

absl::StatusOr<Encoding> ToEncoding(v1::Encoding encoding,
                                    absl::string_view path) {
  switch (encoding) {
    case v1::ENCODING_UNSPECIFIED:
    case v1::ENCODING_AUTO:
      return Encoding::kAuto;
    case v1::ENCODING_FLOAT:
      return Encoding::kFloat;
    case v1::ENCODING_BF16:
      return Encoding::kBf16;
    case v1::ENCODING_INT8:
      return Encoding::kInt8;
    case v1::ENCODING_INT4:
      return Encoding::kInt4;
    case v1::ENCODING_BINARY:
      return Encoding::kBinary;
    default:
      return InvalidField(
          path,
          absl::StrCat("must be ENCODING_AUTO, _FLOAT, _BF16, _INT8, _INT4 or "
                       "_BINARY, got number ",
                       static_cast<int>(encoding)));
  }
}

v1::Encoding FromEncoding(Encoding encoding) {
  switch (encoding) {
    case Encoding::kAuto:
      return v1::ENCODING_AUTO;
    case Encoding::kFloat:
      return v1::ENCODING_FLOAT;
    case Encoding::kBf16:
      return v1::ENCODING_BF16;
    case Encoding::kInt8:
      return v1::ENCODING_INT8;
    case Encoding::kInt4:
      return v1::ENCODING_INT4;
    case Encoding::kBinary:
      return v1::ENCODING_BINARY;
  }
  return v1::ENCODING_UNSPECIFIED;
}

absl::StatusOr<Rerank> ToRerank(v1::Rerank rerank, absl::string_view path) {
  switch (rerank) {
    case v1::RERANK_UNSPECIFIED:
    case v1::RERANK_MEMORY:
      return Rerank::kMemory;
    case v1::RERANK_MAPPED:
      return Rerank::kMapped;
    case v1::RERANK_NONE:
      return Rerank::kNone;
    default:
      return InvalidField(
          path, absl::StrCat("must be RERANK_MEMORY, _MAPPED or _NONE, got "
                             "number ",
                             static_cast<int>(rerank)));
  }
}

v1::Rerank FromRerank(Rerank rerank) {
  switch (rerank) {
    case Rerank::kMemory:
      return v1::RERANK_MEMORY;
    case Rerank::kMapped:
      return v1::RERANK_MAPPED;
    case Rerank::kNone:
      return v1::RERANK_NONE;
  }
  return v1::RERANK_UNSPECIFIED;
}

absl::StatusOr<FieldType> ToFieldType(v1::FieldType type,
                                      absl::string_view path) {
  switch (type) {
    case v1::FIELD_TYPE_INTEGER:
      return FieldType::kInteger;
    case v1::FIELD_TYPE_FLOAT:
      return FieldType::kFloat;
    case v1::FIELD_TYPE_TIMESTAMP:
      return FieldType::kTimestamp;
    case v1::FIELD_TYPE_BOOLEAN:
      return FieldType::kBoolean;
    case v1::FIELD_TYPE_KEYWORD:
      return FieldType::kKeyword;
    default:
      break;
  }
  constexpr absl::string_view kKnown =
      "FIELD_TYPE_INTEGER, _FLOAT, _TIMESTAMP, _BOOLEAN or _KEYWORD";
  if (type == v1::FIELD_TYPE_UNSPECIFIED) {
    return InvalidField(path, absl::StrCat("required: ", kKnown));
  }
  return InvalidField(path, absl::StrCat("must be ", kKnown, ", got number ",
                                         static_cast<int>(type)));
}

v1::FieldType FromFieldType(FieldType type) {
  switch (type) {
    case FieldType::kInteger:
      return v1::FIELD_TYPE_INTEGER;
    case FieldType::kFloat:
      return v1::FIELD_TYPE_FLOAT;
    case FieldType::kTimestamp:
      return v1::FIELD_TYPE_TIMESTAMP;
    case FieldType::kBoolean:
      return v1::FIELD_TYPE_BOOLEAN;
    case FieldType::kKeyword:
      return v1::FIELD_TYPE_KEYWORD;
  }
  return v1::FIELD_TYPE_UNSPECIFIED;
}

absl::Status ToPayloadFields(const v1::CollectionSchema& message,
                             absl::string_view path, Schema* schema) {
  const int count = message.payload_fields_size();
  if (static_cast<size_t>(count) > limits::kPayloadFieldsMax) {
    return InvalidField(
        absl::StrCat(path, ".payload_fields"),
        absl::StrCat("at most ", limits::kPayloadFieldsMax, ", got ", count));
  }
  for (const v1::PayloadField& wire : message.payload_fields()) {
    ASSIGN_OR_RETURN(
        PayloadFieldSchema field,
        ToPayloadField(wire, absl::StrCat(path, ".payload_fields[",
                                          schema->payload_fields.size(), "]")));
    schema->payload_fields.push_back(std::move(field));
  }
  return absl::OkStatus();
}

absl::Status ToTextFields(const v1::CollectionSchema& message,
                          absl::string_view path, Schema* schema) {
  const int count = message.text_fields_size();
  if (static_cast<size_t>(count) > limits::kTextFieldsMax) {
    return InvalidField(
        absl::StrCat(path, ".text_fields"),
        absl::StrCat("at most ", limits::kTextFieldsMax, ", got ", count));
  }
  for (const v1::TextField& wire : message.text_fields()) {
    TextFieldSchema field{.name = wire.name(),
                          .positions = !wire.no_positions()};
    ASSIGN_OR_RETURN(
        field.analysis,
        ToAnalyzer(wire.analyzer(),
                   absl::StrCat(path, ".text_fields[",
                                schema->text_fields.size(), "].analyzer")));
    if (wire.has_k1()) {
      field.bm25.k1 = wire.k1();
    }
    if (wire.has_b()) {
      field.bm25.b = wire.b();
    }
    schema->text_fields.push_back(std::move(field));
  }
  return absl::OkStatus();
}

void FromTextField(const TextFieldSchema& field, v1::TextField* message) {
  message->set_name(field.name);
  v1::Analyzer* const analyzer = message->mutable_analyzer();
  // Both have the numbers of the stored record.
  analyzer->set_kind(static_cast<v1::AnalyzerKind>(field.analysis.kind));
  analyzer->set_language(field.analysis.language);
  for (const std::string& word : field.analysis.stop_words) {
    analyzer->add_stop_words(word);
  }
  analyzer->set_keep_accents(!field.analysis.fold_accents);
  if (field.analysis.kind == AnalyzerKind::kNgram ||
      field.analysis.kind == AnalyzerKind::kEdgeNgram) {
    analyzer->set_min_gram(field.analysis.min_gram);
    analyzer->set_max_gram(field.analysis.max_gram);
  }
  message->set_k1(field.bm25.k1);
  message->set_b(field.bm25.b);
  message->set_no_positions(!field.positions);
}

absl::StatusOr<IdKind> ToIdKind(v1::IdKind kind, absl::string_view path) {
  switch (kind) {
    case v1::ID_KIND_UNSPECIFIED:
    case v1::ID_KIND_NUMBER:
      return IdKind::kNumber;
    case v1::ID_KIND_STRING:
      return IdKind::kString;
    default:
      return InvalidField(
          path, absl::StrCat("must be ID_KIND_NUMBER or ID_KIND_STRING, got "
                             "number ",
                             static_cast<int>(kind)));
  }
}

void FromIndexStats(const IndexStats& stats, v1::IndexStats* message) {
  message->set_sealed_segments(stats.sealed_segments);
  message->set_unindexed_points(stats.unindexed_points);
  message->set_dead_rows(stats.dead_rows);
  message->set_growing_bytes(stats.growing_bytes);
  message->set_sealed_bytes(stats.sealed_bytes);
  message->set_building(stats.building);
  message->set_build_rows_done(stats.build_rows_done);
  message->set_build_rows_total(stats.build_rows_total);
  message->set_payload_misfits(stats.payload_misfits);
  v1::IndexMemory* const memory = message->mutable_memory();
  memory->set_graph(stats.memory.graph);
  memory->set_codes(stats.memory.codes);
  memory->set_vectors(stats.memory.vectors_in_memory);
  memory->set_mapped_vectors(stats.memory.vectors_mapped);
  memory->set_disk_vectors(stats.memory.vectors_on_disk);
  memory->set_columns(stats.columns_bytes);
  memory->set_windows(stats.windows_bytes);
  memory->set_texts(stats.texts_bytes);
  memory->set_sparse(stats.sparse_bytes);
  memory->set_ids(stats.memory.ordinals + stats.ids_bytes);
  for (const EncodingUse& use : stats.encodings) {
    v1::EncodingUse* const wire = message->add_encodings();
    wire->set_field(use.field);
    wire->set_encoding(FromEncoding(use.encoding));
    wire->set_segments(use.segments);
    wire->set_rows(use.rows);
    wire->set_recall_loss(use.recall_loss);
  }
}

void FromSchema(const Schema& schema, v1::CollectionSchema* message) {
  message->set_id_kind(schema.id_kind == IdKind::kString ? v1::ID_KIND_STRING
                                                         : v1::ID_KIND_NUMBER);
  for (const VectorFieldSchema& field : schema.vector_fields) {
    v1::VectorField* const wire = message->add_vector_fields();
    wire->set_name(field.name);
    wire->set_dimension(field.dimension);
    wire->set_metric(FromMetric(field.metric));
    wire->mutable_graph()->set_m(field.graph.m);
    wire->mutable_graph()->set_ef_construction(field.graph.ef_construction);
    wire->set_encoding(FromEncoding(field.storage.encoding));
    wire->set_rerank(FromRerank(field.storage.rerank));
  }
  for (const PayloadFieldSchema& field : schema.payload_fields) {
    v1::PayloadField* const wire = message->add_payload_fields();
    wire->set_name(field.name);
    wire->set_type(FromFieldType(field.type));
    wire->set_window(field.window);
  }
  for (const TextFieldSchema& field : schema.text_fields) {
    FromTextField(field, message->add_text_fields());
  }
  for (const SparseFieldSchema& field : schema.sparse_fields) {
    message->add_sparse_fields()->set_name(field.name);
  }
}

}  // namespace

absl::StatusOr<AnalyzerSpec> ToAnalyzer(const v1::Analyzer& message,
                                        absl::string_view path) {
  AnalyzerSpec spec;
  switch (message.kind()) {
    case v1::ANALYZER_KIND_UNSPECIFIED:
    case v1::ANALYZER_KIND_STANDARD:
      spec.kind = AnalyzerKind::kStandard;
      break;
    case v1::ANALYZER_KIND_KEYWORD:
      spec.kind = AnalyzerKind::kKeyword;
      break;
    case v1::ANALYZER_KIND_NGRAM:
      spec.kind = AnalyzerKind::kNgram;
      break;
    case v1::ANALYZER_KIND_EDGE_NGRAM:
      spec.kind = AnalyzerKind::kEdgeNgram;
      break;
    default:
      return InvalidField(
          absl::StrCat(path, ".kind"),
          absl::StrCat("must be ANALYZER_KIND_STANDARD, _KEYWORD, _NGRAM or "
                       "_EDGE_NGRAM, got number ",
                       static_cast<int>(message.kind())));
  }
  spec.language = message.language();
  if (static_cast<size_t>(message.stop_words_size()) > kStopWordsMax) {
    return InvalidField(absl::StrCat(path, ".stop_words"),
                        absl::StrCat("at most ", kStopWordsMax, ", got ",
                                     message.stop_words_size()));
  }
  spec.stop_words.assign(message.stop_words().begin(),
                         message.stop_words().end());
  spec.fold_accents = !message.keep_accents();
  if (message.min_gram() != 0) {
    spec.min_gram = message.min_gram();
  }
  if (message.max_gram() != 0) {
    spec.max_gram = message.max_gram();
  }
  return spec;
}

absl::StatusOr<Schema> ToSchema(const v1::CollectionSchema& message,
                                absl::string_view path) {
  Schema schema;
  const int count = message.vector_fields_size();
  const bool has_any = count > 0 || message.sparse_fields_size() > 0;
  if (!has_any || static_cast<size_t>(count) > limits::kVectorFieldsMax) {
    return InvalidField(
        absl::StrCat(path, ".vector_fields"),
        absl::StrCat("a collection has 1 to ", limits::kVectorFieldsMax,
                     " vector fields, got ", count,
                     has_any ? "" : "; none will do with a sparse field"));
  }
  if (static_cast<size_t>(message.sparse_fields_size()) >
      limits::kSparseFieldsMax) {
    return InvalidField(absl::StrCat(path, ".sparse_fields"),
                        absl::StrCat("at most ", limits::kSparseFieldsMax,
                                     ", got ", message.sparse_fields_size()));
  }
  for (const v1::SparseField& wire : message.sparse_fields()) {
    schema.sparse_fields.push_back({wire.name()});
  }
  for (const v1::VectorField& wire : message.vector_fields()) {
    const std::string field_path =
        absl::StrCat(path, ".vector_fields[", schema.vector_fields.size(), "]");
    VectorFieldSchema field;
    field.name = wire.name();
    field.dimension = wire.dimension();
    ASSIGN_OR_RETURN(field.metric,
                     ToMetric(wire.metric(), field_path + ".metric"));
    ASSIGN_OR_RETURN(field.storage.encoding,
                     ToEncoding(wire.encoding(), field_path + ".encoding"));
    ASSIGN_OR_RETURN(field.storage.rerank,
                     ToRerank(wire.rerank(), field_path + ".rerank"));
    if (wire.graph().m() != 0) {
      field.graph.m = wire.graph().m();
    }
    if (wire.graph().ef_construction() != 0) {
      field.graph.ef_construction = wire.graph().ef_construction();
    }
    schema.vector_fields.push_back(std::move(field));
  }
  RETURN_IF_ERROR(ToPayloadFields(message, path, &schema));
  RETURN_IF_ERROR(ToTextFields(message, path, &schema));
  ASSIGN_OR_RETURN(schema.id_kind,
                   ToIdKind(message.id_kind(), absl::StrCat(path, ".id_kind")));
  return schema;
}

absl::StatusOr<PayloadFieldSchema> ToPayloadField(
    const v1::PayloadField& message, absl::string_view path) {
  PayloadFieldSchema field{.name = message.name(), .window = message.window()};
  ASSIGN_OR_RETURN(field.type,
                   ToFieldType(message.type(), absl::StrCat(path, ".type")));
  return field;
}

absl::StatusOr<TextFieldUpdate> ToTextFieldUpdate(
    const v1::UpdateTextFieldRequest& request) {
  TextFieldUpdate update{.field = request.field()};
  if (!request.has_analyzer() && !request.has_no_positions()) {
    return InvalidField("analyzer",
                        "nothing to change: set `analyzer` or `no_positions`");
  }
  if (request.has_analyzer()) {
    ASSIGN_OR_RETURN(update.analysis,
                     ToAnalyzer(request.analyzer(), "analyzer"));
  }
  if (request.has_no_positions()) {
    update.positions = !request.no_positions();
  }
  return update;
}

void FromCollectionInfo(const CollectionInfo& info,
                        v1::CollectionInfo* message) {
  constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
  message->set_name(info.name);
  FromSchema(info.schema, message->mutable_schema());
  message->mutable_create_time()->set_seconds(info.create_time_us /
                                              kMicrosecondsPerSecond);
  message->mutable_create_time()->set_nanos(static_cast<int32_t>(
      info.create_time_us % kMicrosecondsPerSecond * 1000));
  message->set_point_count(info.point_count);
  message->set_applied_seq(info.applied_seq);
  message->set_content_hash(
      Hash128{info.content_hash.high, info.content_hash.low}.ToHex());
  FromIndexStats(info.index, message->mutable_index());
  for (const FieldFill& fill : info.fills) {
    v1::FieldFill* const wire = message->add_fills();
    wire->set_field(fill.field);
    wire->set_points_done(fill.points_done);
    wire->set_points_total(fill.points_total);
  }
  if (info.text_change.has_value()) {
    v1::TextFieldChange* const wire = message->mutable_text_field_change();
    FromTextField(info.text_change->next, wire->mutable_field());
    wire->set_points_done(info.text_change->points_done);
    wire->set_points_total(info.text_change->points_total);
  }
  if (!info.health.ok()) {
    message->set_damage(std::string(info.health.message()));
  }
}

}  // namespace sextant
