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

void ToWire(const SparseVector& vector, v1::SparseVector* wire) {
  wire->mutable_indices()->Add(vector.indices.begin(), vector.indices.end());
  wire->mutable_weights()->Add(vector.weights.begin(), vector.weights.end());
}

absl::StatusOr<std::map<std::string, SparseVector>> SparseFromWire(
    const google::protobuf::Map<std::string, v1::SparseVector>& wire) {
  std::map<std::string, SparseVector> vectors;
  for (const auto& [field, vector] : wire) {
    if (vector.indices_size() != vector.weights_size()) {
      return absl::InternalError(absl::StrCat(
          "the server sent ", vector.indices_size(), " indices and ",
          vector.weights_size(), " weights in field '", field, "'"));
    }
    SparseVector& out = vectors[field];
    out.indices.assign(vector.indices().begin(), vector.indices().end());
    out.weights.assign(vector.weights().begin(), vector.weights().end());
  }
  return vectors;
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

double WeightOf(const Fusion& fusion, const v1::Source& source) {
  if (source.has_text()) {
    return fusion.text_weight;
  }
  return source.has_sparse() ? fusion.sparse_weight : fusion.vector_weight;
}

// Of all sources of a search.
void ToWire(const Fusion& fusion, v1::SearchRequest* wire) {
  wire->mutable_fusion()->set_method(fusion.method == FusionMethod::kLinear
                                         ? v1::FUSION_METHOD_LINEAR
                                         : v1::FUSION_METHOD_RECIPROCAL_RANK);
  for (v1::Source& source : *wire->mutable_sources()) {
    source.set_weight(WeightOf(fusion, source));
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
    for (const v1::SparseProduct& product : source.products()) {
      out.products.push_back({.index = product.index(),
                              .query_weight = product.query_weight(),
                              .weight = product.weight(),
                              .score = product.score()});
    }
  }
  return sources;
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
  for (const auto& [field, vector] : point.sparse_vectors) {
    ToWire(vector, &(*wire->mutable_sparse_vectors())[field]);
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

void AddSparse(const SparseRequest& request, v1::SearchRequest* wire) {
  v1::SparseSource* sparse = wire->add_sources()->mutable_sparse();
  sparse->set_field(request.field);
  if (const auto* id = std::get_if<PointId>(&request.target)) {
    client::ToWire(*id, sparse->mutable_stored_point());
  } else {
    ToWire(std::get<SparseVector>(request.target), sparse->mutable_vector());
  }
}

void AddSources(const SearchRequest& request, v1::SearchRequest* wire) {
  const auto* vector = std::get_if<std::vector<float>>(&request.target);
  const bool has_other = request.text.has_value() || request.sparse.has_value();
  if (!has_other || vector == nullptr || !vector->empty()) {
    AddDense(request, wire);
  }
  if (request.text.has_value()) {
    ToWire(*request.text, wire->add_sources()->mutable_text());
  }
  if (request.sparse.has_value()) {
    AddSparse(*request.sparse, wire);
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
                        !request.highlight.has_value() &&
                        !(request.explain && (request.text.has_value() ||
                                              request.sparse.has_value())));
  if (request.highlight.has_value()) {
    v1::Highlighting* highlight = wire->mutable_highlight();
    for (const std::string& field : request.highlight->fields) {
      highlight->add_fields(field);
    }
    highlight->set_fragment_bytes(request.highlight->fragment_bytes);
    highlight->set_fragments(request.highlight->fragments);
    highlight->set_whole_texts(request.highlight->whole_texts);
  }
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
  ASSIGN_OR_RETURN(point.sparse_vectors, SparseFromWire(wire.sparse_vectors()));
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

// Places outside of their text are left out.
std::vector<FieldHighlight> HighlightsFromWire(const v1::Hit& wire) {
  std::vector<FieldHighlight> highlights;
  for (const v1::FieldHighlight& field : wire.highlights()) {
    FieldHighlight& out = highlights.emplace_back();
    out.field = field.field();
    for (const v1::HighlightFragment& fragment : field.fragments()) {
      HighlightFragment& part = out.fragments.emplace_back();
      part.text = fragment.text();
      part.value = fragment.value_index();
      part.begin = fragment.begin();
      uint32_t last = 0;
      for (const v1::HighlightMatch& match : fragment.matches()) {
        if (match.begin() >= last && match.begin() < match.end() &&
            match.end() <= part.text.size()) {
          part.matches.push_back({match.begin(), match.end()});
          last = match.end();
        }
      }
    }
  }
  return highlights;
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
    ASSIGN_OR_RETURN(out.sparse_vectors, SparseFromWire(hit.sparse_vectors()));
    out.sources = FromWire(hit.explanation());
    out.highlights = HighlightsFromWire(hit);
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

}  // namespace sextant::client
