// SPDX-License-Identifier: Apache-2.0
//
// Collections on the wire.

#include "clients/cpp/convert.h"

namespace sextant::client {
namespace {

v1::Metric ToWire(Metric metric) {
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

Metric FromWire(v1::Metric metric) {
  switch (metric) {
    case v1::METRIC_INNER_PRODUCT:
      return Metric::kInnerProduct;
    case v1::METRIC_L2:
      return Metric::kL2;
    default:
      return Metric::kCosine;
  }
}

v1::Encoding ToWire(Encoding encoding) {
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

Encoding FromWire(v1::Encoding encoding) {
  switch (encoding) {
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
      return Encoding::kAuto;
  }
}

v1::Rerank ToWire(Rerank rerank) {
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

Rerank FromWire(v1::Rerank rerank) {
  switch (rerank) {
    case v1::RERANK_MAPPED:
      return Rerank::kMapped;
    case v1::RERANK_NONE:
      return Rerank::kNone;
    default:
      return Rerank::kMemory;
  }
}

v1::FieldType ToWire(FieldType type) {
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

FieldType FromWire(v1::FieldType type) {
  switch (type) {
    case v1::FIELD_TYPE_INTEGER:
      return FieldType::kInteger;
    case v1::FIELD_TYPE_FLOAT:
      return FieldType::kFloat;
    case v1::FIELD_TYPE_TIMESTAMP:
      return FieldType::kTimestamp;
    case v1::FIELD_TYPE_BOOLEAN:
      return FieldType::kBoolean;
    default:
      return FieldType::kKeyword;
  }
}

v1::AnalyzerKind ToWire(AnalyzerKind kind) {
  switch (kind) {
    case AnalyzerKind::kStandard:
      return v1::ANALYZER_KIND_STANDARD;
    case AnalyzerKind::kKeyword:
      return v1::ANALYZER_KIND_KEYWORD;
    case AnalyzerKind::kNgram:
      return v1::ANALYZER_KIND_NGRAM;
    case AnalyzerKind::kEdgeNgram:
      return v1::ANALYZER_KIND_EDGE_NGRAM;
  }
  return v1::ANALYZER_KIND_UNSPECIFIED;
}

AnalyzerKind FromWire(v1::AnalyzerKind kind) {
  switch (kind) {
    case v1::ANALYZER_KIND_KEYWORD:
      return AnalyzerKind::kKeyword;
    case v1::ANALYZER_KIND_NGRAM:
      return AnalyzerKind::kNgram;
    case v1::ANALYZER_KIND_EDGE_NGRAM:
      return AnalyzerKind::kEdgeNgram;
    default:
      return AnalyzerKind::kStandard;
  }
}

TextField FromWire(const v1::TextField& wire) {
  return {.name = wire.name(),
          .analyzer = FromWire(wire.analyzer().kind()),
          .language = wire.analyzer().language()};
}

CollectionSchema FromWire(const v1::CollectionSchema& wire) {
  CollectionSchema schema;
  for (const v1::VectorField& field : wire.vector_fields()) {
    schema.vector_fields.push_back(
        {.name = field.name(),
         .dimension = field.dimension(),
         .metric = FromWire(field.metric()),
         .m = field.graph().m(),
         .ef_construction = field.graph().ef_construction(),
         .encoding = FromWire(field.encoding()),
         .rerank = FromWire(field.rerank())});
  }
  for (const v1::PayloadField& field : wire.payload_fields()) {
    schema.payload_fields.push_back({.name = field.name(),
                                     .type = FromWire(field.type()),
                                     .window = field.window()});
  }
  for (const v1::TextField& field : wire.text_fields()) {
    schema.text_fields.push_back(FromWire(field));
  }
  for (const v1::SparseField& field : wire.sparse_fields()) {
    schema.sparse_fields.push_back({.name = field.name()});
  }
  schema.id_kind =
      wire.id_kind() == v1::ID_KIND_STRING ? IdKind::kString : IdKind::kNumber;
  return schema;
}

IndexStats FromWire(const v1::IndexStats& wire) {
  IndexStats stats;
  stats.sealed_segments = wire.sealed_segments();
  stats.unindexed_points = wire.unindexed_points();
  stats.dead_rows = wire.dead_rows();
  stats.growing_bytes = wire.growing_bytes();
  stats.sealed_bytes = wire.sealed_bytes();
  stats.building = wire.building();
  stats.build_rows_done = wire.build_rows_done();
  stats.build_rows_total = wire.build_rows_total();
  stats.payload_misfits = wire.payload_misfits();
  stats.memory = {.graph = wire.memory().graph(),
                  .codes = wire.memory().codes(),
                  .vectors = wire.memory().vectors(),
                  .mapped_vectors = wire.memory().mapped_vectors(),
                  .disk_vectors = wire.memory().disk_vectors(),
                  .ids = wire.memory().ids(),
                  .columns = wire.memory().columns(),
                  .windows = wire.memory().windows(),
                  .texts = wire.memory().texts(),
                  .sparse = wire.memory().sparse()};
  for (const v1::EncodingUse& use : wire.encodings()) {
    stats.encodings.push_back({.field = use.field(),
                               .encoding = FromWire(use.encoding()),
                               .segments = use.segments(),
                               .rows = use.rows(),
                               .recall_loss = use.recall_loss()});
  }
  return stats;
}

}  // namespace

void ToWire(const PayloadField& field, v1::PayloadField* wire) {
  wire->set_name(field.name);
  wire->set_type(ToWire(field.type));
  wire->set_window(field.window);
}

void ToWire(const TextFieldUpdate& update, v1::UpdateTextFieldRequest* wire) {
  wire->set_field(update.field);
  if (update.analyzer.has_value()) {
    v1::Analyzer* const analyzer = wire->mutable_analyzer();
    analyzer->set_kind(ToWire(update.analyzer->kind));
    analyzer->set_language(update.analyzer->language);
    for (const std::string& word : update.analyzer->stop_words) {
      analyzer->add_stop_words(word);
    }
    analyzer->set_keep_accents(update.analyzer->keep_accents);
    analyzer->set_min_gram(update.analyzer->min_gram);
    analyzer->set_max_gram(update.analyzer->max_gram);
  }
  if (update.positions.has_value()) {
    wire->set_no_positions(!*update.positions);
  }
}

void ToWire(const CollectionSchema& schema, v1::CollectionSchema* wire) {
  for (const VectorField& field : schema.vector_fields) {
    v1::VectorField* out = wire->add_vector_fields();
    out->set_name(field.name);
    out->set_dimension(field.dimension);
    out->set_metric(ToWire(field.metric));
    out->set_encoding(ToWire(field.encoding));
    out->set_rerank(ToWire(field.rerank));
    if (field.m != 0 || field.ef_construction != 0) {
      out->mutable_graph()->set_m(field.m);
      out->mutable_graph()->set_ef_construction(field.ef_construction);
    }
  }
  for (const PayloadField& field : schema.payload_fields) {
    ToWire(field, wire->add_payload_fields());
  }
  for (const TextField& field : schema.text_fields) {
    v1::TextField* out = wire->add_text_fields();
    out->set_name(field.name);
    out->mutable_analyzer()->set_kind(ToWire(field.analyzer));
    out->mutable_analyzer()->set_language(field.language);
  }
  for (const SparseField& field : schema.sparse_fields) {
    wire->add_sparse_fields()->set_name(field.name);
  }
  wire->set_id_kind(schema.id_kind == IdKind::kString ? v1::ID_KIND_STRING
                                                      : v1::ID_KIND_NUMBER);
}

CollectionInfo FromWire(const v1::CollectionInfo& wire) {
  CollectionInfo info;
  info.name = wire.name();
  info.schema = FromWire(wire.schema());
  info.create_time = absl::FromUnixSeconds(wire.create_time().seconds()) +
                     absl::Nanoseconds(wire.create_time().nanos());
  info.point_count = wire.point_count();
  info.applied_seq = wire.applied_seq();
  info.content_hash = wire.content_hash();
  info.index = FromWire(wire.index());
  for (const v1::FieldFill& fill : wire.fills()) {
    info.fills.push_back({.field = fill.field(),
                          .points_done = fill.points_done(),
                          .points_total = fill.points_total()});
  }
  if (wire.has_text_field_change()) {
    const v1::TextFieldChange& change = wire.text_field_change();
    info.text_field_change =
        TextFieldChange{.next = FromWire(change.field()),
                        .points_done = change.points_done(),
                        .points_total = change.points_total()};
  }
  return info;
}

}  // namespace sextant::client
