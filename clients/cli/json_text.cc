// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/json_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

#include "clients/cli/value_names.h"

namespace sextant::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The shortest text that reads back as the same number.
template <typename Number>
std::string ShortestNumber(Number number) {
  if (!std::isfinite(number)) {
    return "null";
  }
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return std::string(text.data(), end);
}

std::string VectorsJson(
    const std::map<std::string, std::vector<float>>& vectors) {
  JsonObject object;
  for (const auto& [field, numbers] : vectors) {
    std::vector<std::string> elements;
    elements.reserve(numbers.size());
    for (const float number : numbers) {
      elements.push_back(ShortestNumber(number));
    }
    object.AddRaw(field, JsonArray(elements));
  }
  return object.Text();
}

std::string SparseJson(
    const std::map<std::string, client::SparseVector>& vectors) {
  JsonObject object;
  for (const auto& [field, vector] : vectors) {
    std::vector<std::string> weights;
    weights.reserve(vector.weights.size());
    for (const float weight : vector.weights) {
      weights.push_back(ShortestNumber(weight));
    }
    object.AddRaw(
        field,
        JsonObject()
            .AddRaw("indices",
                    absl::StrCat("[", absl::StrJoin(vector.indices, ","), "]"))
            .AddRaw("weights", JsonArray(weights))
            .Text());
  }
  return object.Text();
}

// The payload in one line, as it is where it already has no line end.
std::string PayloadJson(absl::string_view payload) {
  const Json json = Json::parse(payload.begin(), payload.end(), nullptr, false);
  return json.is_discarded() ? JsonString(payload) : Dump(json);
}

// Of a client::Point or a client::Hit.
template <typename Content>
void AddContent(const Content& content, JsonObject* object) {
  if (!content.payload.empty()) {
    object->AddRaw("payload", PayloadJson(content.payload));
  }
  if (!content.vectors.empty()) {
    object->AddRaw("vectors", VectorsJson(content.vectors));
  }
  if (!content.sparse_vectors.empty()) {
    object->AddRaw("sparse_vectors", SparseJson(content.sparse_vectors));
  }
}

const char* MetricName(client::Metric metric) {
  switch (metric) {
    case client::Metric::kCosine:
      return "cosine";
    case client::Metric::kInnerProduct:
      return "ip";
    case client::Metric::kL2:
      return "l2";
  }
  return "";
}

std::string FieldJson(const client::VectorField& field) {
  return JsonObject()
      .AddText("name", field.name)
      .AddNumber("dimension", uint64_t{field.dimension})
      .AddText("metric", MetricName(field.metric))
      .AddNumber("m", uint64_t{field.m})
      .AddNumber("ef_construction", uint64_t{field.ef_construction})
      .AddText("encoding", EncodingName(field.encoding))
      .AddText("rerank", RerankName(field.rerank))
      .Text();
}

std::string FieldJson(const client::PayloadField& field) {
  return JsonObject()
      .AddText("name", field.name)
      .AddText("type", FieldTypeName(field.type))
      .AddBool("window", field.window)
      .Text();
}

std::string FieldJson(const client::TextField& field) {
  return JsonObject()
      .AddText("name", field.name)
      .AddText("analyzer", AnalyzerName(field.analyzer))
      .AddText("language", field.language)
      .Text();
}

std::string FieldJson(const client::SparseField& field) {
  return JsonObject().AddText("name", field.name).Text();
}

template <typename Field>
std::string FieldsJson(const std::vector<Field>& fields) {
  std::vector<std::string> elements;
  for (const Field& field : fields) {
    elements.push_back(FieldJson(field));
  }
  return JsonArray(elements);
}

std::string MemoryJson(const client::IndexMemory& memory) {
  return JsonObject()
      .AddNumber("graph", memory.graph)
      .AddNumber("codes", memory.codes)
      .AddNumber("vectors", memory.vectors)
      .AddNumber("mapped_vectors", memory.mapped_vectors)
      .AddNumber("disk_vectors", memory.disk_vectors)
      .AddNumber("ids", memory.ids)
      .AddNumber("columns", memory.columns)
      .AddNumber("windows", memory.windows)
      .AddNumber("texts", memory.texts)
      .AddNumber("sparse", memory.sparse)
      .Text();
}

std::string EncodingJson(const client::EncodingUse& use) {
  return JsonObject()
      .AddText("field", use.field)
      .AddText("encoding", EncodingName(use.encoding))
      .AddNumber("segments", uint64_t{use.segments})
      .AddNumber("rows", use.rows)
      .AddNumber("recall_loss", use.recall_loss)
      .Text();
}

std::string IndexJson(const client::IndexStats& index) {
  std::vector<std::string> encodings;
  for (const client::EncodingUse& use : index.encodings) {
    encodings.push_back(EncodingJson(use));
  }
  return JsonObject()
      .AddNumber("sealed_segments", uint64_t{index.sealed_segments})
      .AddNumber("unindexed_points", index.unindexed_points)
      .AddNumber("dead_rows", index.dead_rows)
      .AddNumber("growing_bytes", index.growing_bytes)
      .AddNumber("sealed_bytes", index.sealed_bytes)
      .AddBool("building", index.building)
      .AddNumber("build_rows_done", index.build_rows_done)
      .AddNumber("build_rows_total", index.build_rows_total)
      .AddRaw("memory", MemoryJson(index.memory))
      .AddRaw("encodings", JsonArray(encodings))
      .AddNumber("payload_misfits", index.payload_misfits)
      .Text();
}

std::string ExplanationJson(const client::Explanation& explanation) {
  std::vector<std::string> stages;
  for (const client::StageTiming& stage : explanation.stages) {
    stages.push_back(
        JsonObject()
            .AddText("name", stage.name)
            .AddNumber("candidates_in", stage.candidates_in)
            .AddNumber("candidates_out", stage.candidates_out)
            .AddNumber("distances", stage.distances)
            .AddNumber("seconds", absl::ToDoubleSeconds(stage.time))
            .Text());
  }
  return JsonObject()
      .AddText("plan", explanation.plan)
      .AddRaw("stages", JsonArray(stages))
      .Text();
}

}  // namespace

JsonObject& JsonObject::AddRaw(absl::string_view key, absl::string_view json) {
  absl::StrAppend(&members_, members_.empty() ? "" : ",", JsonString(key), ":",
                  json);
  return *this;
}

JsonObject& JsonObject::AddText(absl::string_view key,
                                absl::string_view value) {
  return AddRaw(key, JsonString(value));
}

JsonObject& JsonObject::AddNumber(absl::string_view key, uint64_t value) {
  return AddRaw(key, absl::StrCat(value));
}

JsonObject& JsonObject::AddNumber(absl::string_view key, double value) {
  return AddRaw(key, ShortestNumber(value));
}

JsonObject& JsonObject::AddBool(absl::string_view key, bool value) {
  return AddRaw(key, value ? "true" : "false");
}

std::string JsonString(absl::string_view text) {
  return Dump(Json(std::string(text)));
}

std::string JsonArray(const std::vector<std::string>& elements) {
  return absl::StrCat("[", absl::StrJoin(elements, ","), "]");
}

std::string JsonId(const client::PointId& id) {
  const auto* text = std::get_if<std::string>(&id);
  return text == nullptr ? client::ToString(id) : JsonString(*text);
}

std::string PointJson(const client::Point& point) {
  JsonObject object;
  object.AddRaw("id", JsonId(point.id));
  AddContent(point, &object);
  return object.Text();
}

std::string CollectionJson(const client::CollectionInfo& info) {
  std::vector<std::string> fills;
  for (const client::FieldFill& fill : info.fills) {
    fills.push_back(JsonObject()
                        .AddText("field", fill.field)
                        .AddNumber("points_done", fill.points_done)
                        .AddNumber("points_total", fill.points_total)
                        .Text());
  }
  std::string change = "null";
  if (info.text_field_change.has_value()) {
    change =
        JsonObject()
            .AddRaw("field", FieldJson(info.text_field_change->next))
            .AddNumber("points_done", info.text_field_change->points_done)
            .AddNumber("points_total", info.text_field_change->points_total)
            .Text();
  }
  return JsonObject()
      .AddText("name", info.name)
      .AddNumber("points", info.point_count)
      .AddText("id_kind", info.schema.id_kind == client::IdKind::kString
                              ? "string"
                              : "number")
      .AddRaw("vector_fields", FieldsJson(info.schema.vector_fields))
      .AddRaw("payload_fields", FieldsJson(info.schema.payload_fields))
      .AddRaw("text_fields", FieldsJson(info.schema.text_fields))
      .AddRaw("sparse_fields", FieldsJson(info.schema.sparse_fields))
      .AddText("create_time",
               absl::FormatTime(absl::RFC3339_full, info.create_time,
                                absl::UTCTimeZone()))
      .AddNumber("applied_seq", info.applied_seq)
      .AddText("content_hash", info.content_hash)
      .AddRaw("index", IndexJson(info.index))
      .AddRaw("fills", JsonArray(fills))
      .AddRaw("text_field_change", change)
      .Text();
}

std::string FieldValueJson(const client::FieldValue& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) {
    return *boolean ? "true" : "false";
  }
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    return absl::StrCat(*integer);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return ShortestNumber(*number);
  }
  return JsonString(std::get<std::string>(value));
}

std::string FieldValueText(const client::FieldValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : FieldValueJson(value);
}

std::string FacetsJson(const client::FacetResult& result) {
  std::vector<std::string> facets;
  for (const client::Facet& facet : result.facets) {
    facets.push_back(JsonObject()
                         .AddRaw("value", FieldValueJson(facet.value))
                         .AddNumber("points", facet.points)
                         .Text());
  }
  return JsonObject()
      .AddRaw("facets", JsonArray(facets))
      .AddNumber("distinct", result.distinct)
      .AddNumber("points", result.points)
      .AddNumber("absent", result.absent)
      .Text();
}

namespace {

std::string TermJson(const client::TermScore& term) {
  return JsonObject()
      .AddText("field", term.field)
      .AddText("term", term.term)
      .AddNumber("tf", uint64_t{term.tf})
      .AddNumber("df", term.df)
      .AddNumber("idf", term.idf)
      .AddNumber("length", uint64_t{term.length})
      .AddNumber("average_length", term.average_length)
      .AddRaw("score", ShortestNumber(term.score))
      .Text();
}

std::string ProductJson(const client::SparseProduct& product) {
  return JsonObject()
      .AddNumber("index", uint64_t{product.index})
      .AddRaw("query_weight", ShortestNumber(product.query_weight))
      .AddRaw("weight", ShortestNumber(product.weight))
      .AddRaw("score", ShortestNumber(product.score))
      .Text();
}

std::string SourceJson(const client::SourceScore& source) {
  JsonObject object;
  object.AddText("source", source.source)
      .AddText("kind", source.kind)
      .AddBool("listed", source.listed);
  if (source.score.has_value()) {
    object.AddNumber("score", *source.score);
  }
  std::vector<std::string> terms;
  for (const client::TermScore& term : source.terms) {
    terms.push_back(TermJson(term));
  }
  object.AddNumber("rank", uint64_t{source.rank})
      .AddNumber("normalised", source.normalised)
      .AddNumber("weight", source.weight)
      .AddNumber("share", source.share)
      .AddRaw("terms", JsonArray(terms));
  if (!source.products.empty()) {
    std::vector<std::string> products;
    for (const client::SparseProduct& product : source.products) {
      products.push_back(ProductJson(product));
    }
    object.AddRaw("products", JsonArray(products));
  }
  return object.Text();
}

std::string FragmentJson(const client::HighlightFragment& fragment) {
  std::vector<std::string> matches;
  for (const client::HighlightMatch& match : fragment.matches) {
    matches.push_back(absl::StrCat("[", match.begin, ",", match.end, "]"));
  }
  return JsonObject()
      .AddText("text", fragment.text)
      .AddNumber("value", uint64_t{fragment.value})
      .AddNumber("begin", uint64_t{fragment.begin})
      .AddRaw("matches", JsonArray(matches))
      .Text();
}

std::string CutOffJson(const client::CutOffOutcome& outcome) {
  JsonObject object;
  object.AddNumber("candidates", outcome.candidates)
      .AddNumber("kept", outcome.kept);
  if (outcome.least_score.has_value()) {
    object.AddNumber("least_score", *outcome.least_score);
  }
  if (outcome.best_score.has_value()) {
    object.AddRaw("best_score", ShortestNumber(*outcome.best_score));
  }
  return object.AddBool("nothing_relevant", outcome.nothing_relevant).Text();
}

std::string HighlightsJson(
    const std::vector<client::FieldHighlight>& highlights) {
  std::vector<std::string> fields;
  for (const client::FieldHighlight& highlight : highlights) {
    std::vector<std::string> fragments;
    for (const client::HighlightFragment& fragment : highlight.fragments) {
      fragments.push_back(FragmentJson(fragment));
    }
    fields.push_back(JsonObject()
                         .AddText("field", highlight.field)
                         .AddRaw("fragments", JsonArray(fragments))
                         .Text());
  }
  return JsonArray(fields);
}

}  // namespace

std::string SearchJson(const client::SearchResult& result,
                       absl::string_view query) {
  std::vector<std::string> hits;
  for (const client::Hit& hit : result.hits) {
    JsonObject object;
    object.AddRaw("id", JsonId(hit.id));
    object.AddRaw("score", ShortestNumber(hit.score));
    AddContent(hit, &object);
    if (!hit.highlights.empty()) {
      object.AddRaw("highlights", HighlightsJson(hit.highlights));
    }
    if (!hit.sources.empty()) {
      std::vector<std::string> sources;
      for (const client::SourceScore& source : hit.sources) {
        sources.push_back(SourceJson(source));
      }
      object.AddRaw("sources", JsonArray(sources));
    }
    hits.push_back(object.Text());
  }
  JsonObject object;
  if (!query.empty()) {
    object.AddRaw("query", query);
  }
  object.AddRaw("hits", JsonArray(hits));
  if (!result.groups.empty()) {
    std::vector<std::string> groups;
    for (const client::HitGroup& group : result.groups) {
      groups.push_back(JsonObject()
                           .AddRaw("value", FieldValueJson(group.value))
                           .AddNumber("hits", uint64_t{group.hits})
                           .Text());
    }
    object.AddRaw("groups", JsonArray(groups));
  }
  if (result.cut_off.has_value()) {
    object.AddRaw("cut_off", CutOffJson(*result.cut_off));
  }
  object.AddNumber("applied_seq", result.applied_seq)
      .AddNumber("server_seconds", absl::ToDoubleSeconds(result.server_time))
      .AddNumber("expected_recall", result.expected_recall);
  if (result.explanation.has_value()) {
    object.AddRaw("explanation", ExplanationJson(*result.explanation));
  }
  return object.Text();
}

std::vector<std::string> PayloadCells(absl::string_view payload,
                                      const std::vector<std::string>& fields) {
  std::vector<std::string> cells;
  const Json json = Json::parse(payload.begin(), payload.end(), nullptr, false);
  for (const std::string& field : fields) {
    const bool present = json.is_object() && json.contains(field);
    if (!present || json[field].is_null()) {
      cells.emplace_back();
    } else if (json[field].is_string()) {
      cells.push_back(json[field].get<std::string>());
    } else {
      cells.push_back(Dump(json[field]));
    }
  }
  return cells;
}

}  // namespace sextant::cli
