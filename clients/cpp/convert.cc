// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/convert.h"

#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace sextant::client {
namespace {

static_assert(std::endian::native == std::endian::little,
              "vectors travel as little-endian bytes");

using WireVectors = google::protobuf::Map<std::string, v1::Vector>;
using Vectors = std::map<std::string, std::vector<float>>;

void ToWire(const std::vector<float>& vector, v1::Vector* wire) {
  wire->set_raw(vector.data(), vector.size() * sizeof(float));
}

absl::StatusOr<Vectors> VectorsFromWire(const WireVectors& wire) {
  Vectors vectors;
  for (const auto& [field, vector] : wire) {
    std::vector<float>& numbers = vectors[field];
    if (vector.raw().empty()) {
      numbers.assign(vector.values().begin(), vector.values().end());
      continue;
    }
    if (vector.raw().size() % sizeof(float) != 0) {
      return absl::InternalError(absl::StrCat("the server sent a vector of ",
                                              vector.raw().size(),
                                              " bytes in field '", field, "'"));
    }
    numbers.resize(vector.raw().size() / sizeof(float));
    std::memcpy(numbers.data(), vector.raw().data(), vector.raw().size());
  }
  return vectors;
}

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

v1::Normaliser ToWire(Normaliser normaliser) {
  switch (normaliser) {
    case Normaliser::kNone:
      return v1::NORMALISER_NONE;
    case Normaliser::kMinMax:
      return v1::NORMALISER_MIN_MAX;
    case Normaliser::kZScore:
      return v1::NORMALISER_Z_SCORE;
    case Normaliser::kDbsf:
      return v1::NORMALISER_DBSF;
    case Normaliser::kTheoreticalMinimum:
      return v1::NORMALISER_THEORETICAL_MINIMUM;
  }
  return v1::NORMALISER_UNSPECIFIED;
}

void ToWire(const TextRequest& text, v1::TextSource* wire) {
  wire->set_text(text.query);
  for (const TextRequestField& field : text.fields) {
    v1::TextSourceField* out = wire->add_fields();
    out->set_name(field.name);
    out->set_weight(field.weight);
  }
}

// Of both sources of a search by vector and text.
void ToWire(const Fusion& fusion, v1::SearchRequest* wire) {
  wire->mutable_fusion()->set_method(fusion.method == FusionMethod::kLinear
                                         ? v1::FUSION_METHOD_LINEAR
                                         : v1::FUSION_METHOD_RECIPROCAL_RANK);
  for (v1::Source& source : *wire->mutable_sources()) {
    source.set_weight(source.has_text() ? fusion.text_weight
                                        : fusion.vector_weight);
    source.set_normaliser(ToWire(fusion.normaliser));
  }
}

std::vector<SourceScore> FromWire(const v1::HitExplanation& wire) {
  std::vector<SourceScore> sources;
  for (const v1::SourceExplanation& source : wire.sources()) {
    SourceScore& out = sources.emplace_back();
    out.source = source.source();
    out.kind = source.kind();
    out.listed = source.listed();
    if (source.has_score()) {
      out.score = source.score();
    }
    out.rank = source.rank();
    out.normalised = source.normalised();
    out.weight = source.weight();
    out.share = source.share();
    for (const v1::TextTermScore& term : source.terms()) {
      out.terms.push_back({.field = term.field(),
                           .term = term.term(),
                           .tf = term.tf(),
                           .df = term.df(),
                           .idf = term.idf(),
                           .length = term.length(),
                           .average_length = term.average_length(),
                           .score = term.score()});
    }
  }
  return sources;
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
    schema.text_fields.push_back({.name = field.name(),
                                  .analyzer = FromWire(field.analyzer().kind()),
                                  .language = field.analyzer().language()});
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
                  .texts = wire.memory().texts()};
  for (const v1::EncodingUse& use : wire.encodings()) {
    stats.encodings.push_back({.field = use.field(),
                               .encoding = FromWire(use.encoding()),
                               .segments = use.segments(),
                               .rows = use.rows(),
                               .recall_loss = use.recall_loss()});
  }
  return stats;
}

Explanation FromWire(const v1::Explanation& wire) {
  Explanation explanation;
  explanation.plan = wire.plan();
  for (const v1::StageTiming& stage : wire.stages()) {
    explanation.stages.push_back({.name = stage.name(),
                                  .candidates_in = stage.candidates_in(),
                                  .candidates_out = stage.candidates_out(),
                                  .distances = stage.distances(),
                                  .time = absl::Seconds(stage.seconds())});
  }
  return explanation;
}

}  // namespace

std::string ToString(const PointId& id) {
  if (const auto* number = std::get_if<uint64_t>(&id)) {
    return absl::StrCat(*number);
  }
  return std::get<std::string>(id);
}

void ToWire(const PointId& id, v1::PointId* wire) {
  if (const auto* number = std::get_if<uint64_t>(&id)) {
    wire->set_num(*number);
  } else {
    wire->set_str(std::get<std::string>(id));
  }
}

void ToWire(const Point& point, v1::Point* wire) {
  ToWire(point.id, wire->mutable_id());
  for (const auto& [field, vector] : point.vectors) {
    ToWire(vector, &(*wire->mutable_vectors())[field]);
  }
  wire->set_payload(point.payload);
}

void ToWire(const Projection& projection, v1::Projection* wire) {
  wire->set_payload(projection.payload);
  for (const std::string& field : projection.vectors) {
    wire->add_vectors(field);
  }
  wire->set_raw_vectors(true);
}

void ToWire(const PayloadField& field, v1::PayloadField* wire) {
  wire->set_name(field.name);
  wire->set_type(ToWire(field.type));
  wire->set_window(field.window);
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
  wire->set_id_kind(schema.id_kind == IdKind::kString ? v1::ID_KIND_STRING
                                                      : v1::ID_KIND_NUMBER);
}

namespace {

void AddDense(const SearchRequest& request, v1::SearchRequest* wire) {
  v1::DenseSource* dense = wire->add_sources()->mutable_dense();
  dense->set_field(request.field);
  if (const auto* id = std::get_if<PointId>(&request.target)) {
    client::ToWire(*id, dense->mutable_stored_point());
  } else {
    ToWire(std::get<std::vector<float>>(request.target),
           dense->mutable_vector());
  }
  dense->set_ef(request.ef);
  dense->set_exact(request.exact);
  dense->set_normalizer(request.normalizer);
}

void AddSources(const SearchRequest& request, v1::SearchRequest* wire) {
  const auto* vector = std::get_if<std::vector<float>>(&request.target);
  const bool text_alone =
      request.text.has_value() && vector != nullptr && vector->empty();
  if (!text_alone) {
    AddDense(request, wire);
  }
  if (request.text.has_value()) {
    ToWire(*request.text, wire->add_sources()->mutable_text());
  }
  if (request.fusion.has_value() && wire->sources_size() > 1) {
    ToWire(*request.fusion, wire);
  }
  for (v1::Source& source : *wire->mutable_sources()) {
    source.set_candidates(request.candidates);
  }
}

}  // namespace

void ToWire(const SearchRequest& request, v1::SearchRequest* wire) {
  AddSources(request, wire);
  SetFilter(request.filter, wire);
  if (request.cut_off.has_value()) {
    ToWire(*request.cut_off, wire->mutable_cut_off());
  }
  if (request.diversity.has_value()) {
    v1::Diversity* stage = wire->add_stages()->mutable_diversity();
    stage->set_strength(*request.diversity);
    stage->set_candidates(request.diversity_candidates);
  }
  if (!request.group_by.empty()) {
    v1::Grouping* grouping = wire->mutable_grouping();
    grouping->set_field(request.group_by);
    grouping->set_hits_per_group(request.hits_per_group);
    grouping->set_candidates_max(request.group_candidates_max);
  }
  wire->set_recall_target(request.recall_target);
  wire->set_limit(request.limit);
  wire->set_offset(request.offset);
  ToWire(request.projection, wire->mutable_projection());
  // Less work for both sides where a hit is an id and a score.
  wire->set_packed_hits(!request.projection.payload &&
                        request.projection.vectors.empty() &&
                        !(request.explain && request.text.has_value()));
  wire->set_explain(request.explain);
}

absl::StatusOr<PointId> FromWire(const v1::PointId& wire) {
  switch (wire.kind_case()) {
    case v1::PointId::kNum:
      return PointId(wire.num());
    case v1::PointId::kStr:
      return PointId(wire.str());
    case v1::PointId::KIND_NOT_SET:
      break;
  }
  return absl::InternalError("the server sent a point without an id");
}

absl::StatusOr<Point> FromWire(const v1::Point& wire) {
  Point point;
  ASSIGN_OR_RETURN(point.id, FromWire(wire.id()));
  ASSIGN_OR_RETURN(point.vectors, VectorsFromWire(wire.vectors()));
  point.payload = wire.payload();
  return point;
}

namespace {

absl::Status Unpack(const v1::PackedHits& wire, std::vector<Hit>* hits) {
  const bool numbers = !wire.nums().empty();
  const int ids = numbers ? wire.nums_size() : wire.strs_size();
  if (ids != wire.scores_size()) {
    return absl::InternalError(absl::StrCat(
        "the server sent ", ids, " ids and ", wire.scores_size(), " scores"));
  }
  hits->resize(static_cast<size_t>(ids));
  for (int i = 0; i < ids; ++i) {
    Hit& hit = (*hits)[static_cast<size_t>(i)];
    if (numbers) {
      hit.id = wire.nums(i);
    } else {
      hit.id = wire.strs(i);
    }
    hit.score = wire.scores(i);
  }
  return absl::OkStatus();
}

}  // namespace

namespace {

absl::StatusOr<FieldValue> ValueFromWire(const v1::Value& wire) {
  switch (wire.kind_case()) {
    case v1::Value::kBoolean:
      return FieldValue(wire.boolean());
    case v1::Value::kInteger:
      return FieldValue(int64_t{wire.integer()});
    case v1::Value::kNumber:
      return FieldValue(wire.number());
    case v1::Value::kText:
      return FieldValue(wire.text());
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return absl::InternalError("the server sent a field without a value");
}

}  // namespace

absl::StatusOr<SearchResult> FromWire(const v1::SearchResponse& wire) {
  SearchResult result;
  RETURN_IF_ERROR(Unpack(wire.packed(), &result.hits));
  for (const v1::Hit& hit : wire.hits()) {
    Hit& out = result.hits.emplace_back();
    ASSIGN_OR_RETURN(out.id, FromWire(hit.id()));
    out.score = hit.score();
    out.payload = hit.payload();
    ASSIGN_OR_RETURN(out.vectors, VectorsFromWire(hit.vectors()));
    out.sources = FromWire(hit.explanation());
  }
  for (const v1::HitGroup& group : wire.groups()) {
    HitGroup& out = result.groups.emplace_back();
    ASSIGN_OR_RETURN(out.value, ValueFromWire(group.key()));
    out.hits = group.hits();
  }
  if (wire.has_cut_off()) {
    result.cut_off = FromWire(wire.cut_off());
  }
  result.applied_seq = wire.applied_seq();
  result.server_time = absl::Seconds(wire.server_seconds());
  result.expected_recall = wire.expected_recall();
  if (wire.has_explanation()) {
    result.explanation = FromWire(wire.explanation());
  }
  return result;
}

absl::StatusOr<FacetResult> FromWire(const v1::FacetPointsResponse& wire) {
  FacetResult result;
  for (const v1::Facet& facet : wire.facets()) {
    Facet& out = result.facets.emplace_back();
    out.points = facet.points();
    ASSIGN_OR_RETURN(out.value, ValueFromWire(facet.key()));
  }
  result.distinct = wire.distinct();
  result.points = wire.points();
  result.absent = wire.absent();
  return result;
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
  return info;
}

}  // namespace sextant::client
