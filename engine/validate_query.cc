// SPDX-License-Identifier: Apache-2.0
#include "engine/validate_query.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "engine/highlight_hits.h"
#include "engine/limits.h"
#include "engine/prepared_write.h"

namespace sextant {
namespace {

absl::Status ValidatePage(const SearchQuery& query) {
  if (query.limit == 0 || query.limit > limits::kHitsMax) {
    return InvalidField("limit", absl::StrCat("must be 1 to ", limits::kHitsMax,
                                              ", got ", query.limit));
  }
  if (query.offset > limits::kHitsMax - query.limit) {
    return InvalidField(
        "offset",
        absl::StrCat("offset + limit must be at most ", limits::kHitsMax,
                     ", got ", query.offset, " + ", query.limit));
  }
  return absl::OkStatus();
}

absl::Status ValidateRecallTarget(const SearchQuery& query) {
  if (!(query.recall_target >= 0 && query.recall_target <= 1)) {
    return InvalidField(
        "recall_target",
        absl::StrCat(
            "must be above 0 and at most 1, or 0 for the default, got ",
            query.recall_target));
  }
  return absl::OkStatus();
}

absl::Status ValidateAdapterCutOff(const SearchQuery& query,
                                   const AdapterCutOff& cut_off) {
  const double threshold = cut_off.threshold.value_or(0.5);
  if (!(threshold > 0 && threshold < 1)) {
    return InvalidField(
        "cut_off.adapter.threshold",
        absl::StrCat("must be above 0 and below 1, got ", threshold));
  }
  if (!IsPlainDense(query)) {
    return InvalidField("cut_off.adapter",
                        "needs one dense source, without a fusion and boosts, "
                        "whose cosines it is for");
  }
  return absl::OkStatus();
}

absl::Status ValidateCutOff(const SearchQuery& query) {
  if (!query.cut_off.has_value()) {
    return absl::OkStatus();
  }
  if (const auto* min = std::get_if<MinScore>(&*query.cut_off)) {
    return std::isfinite(min->score)
               ? absl::OkStatus()
               : InvalidField("cut_off.min_score",
                              absl::StrCat("must be finite, got ", min->score));
  }
  if (const auto* adapter = std::get_if<AdapterCutOff>(&*query.cut_off)) {
    return ValidateAdapterCutOff(query, *adapter);
  }
  RETURN_IF_ERROR(
      PrefixField("cut_off.score_gap.",
                  ValidateScoreGap(std::get<ScoreGap>(*query.cut_off))));
  if (IsRankedByPlaces(query)) {
    return InvalidField(
        "cut_off.score_gap",
        "not with a fusion by reciprocal ranks, whose scores tell places in "
        "lists and not how well a point matches; fuse linearly");
  }
  return absl::OkStatus();
}

absl::Status ValidateDiversity(const SearchQuery& query) {
  if (!query.diversity.has_value()) {
    return absl::OkStatus();
  }
  const Diversity& diversity = *query.diversity;
  if (!(diversity.strength >= 0 && diversity.strength <= 1)) {
    return InvalidField(
        "stages[0].diversity.strength",
        absl::StrCat("must be 0 to 1, got ", diversity.strength));
  }
  if (!IsPlainDense(query)) {
    return InvalidField("stages[0].diversity",
                        "needs one dense source, without a fusion and boosts, "
                        "whose vectors say what is alike");
  }
  const uint32_t wanted = query.offset + query.limit;
  if (wanted > limits::kDiversityCandidatesMax) {
    return InvalidField("limit", absl::StrCat("offset + limit is at most ",
                                              limits::kDiversityCandidatesMax,
                                              " with diversity, got ", wanted));
  }
  if (diversity.candidates != 0 &&
      (diversity.candidates < wanted ||
       diversity.candidates > limits::kDiversityCandidatesMax)) {
    return InvalidField("stages[0].diversity.candidates",
                        absl::StrCat("must be offset + limit (", wanted,
                                     ") to ", limits::kDiversityCandidatesMax,
                                     ", got ", diversity.candidates));
  }
  return absl::OkStatus();
}

absl::Status ValidateGrouping(const Schema& schema, const SearchQuery& query) {
  if (!query.grouping.has_value()) {
    return absl::OkStatus();
  }
  const Grouping& grouping = *query.grouping;
  if (query.diversity.has_value()) {
    return InvalidField("grouping", "not together with stages[0].diversity");
  }
  if (!schema.FindPayloadField(grouping.field).has_value()) {
    return InvalidField(
        "grouping.field",
        absl::StrCat(
            "the collection has no payload field '",
            ShownText(grouping.field, limits::kPayloadFieldNameBytesMax), "'"));
  }
  if (grouping.hits_per_group > limits::kHitsPerGroupMax) {
    return InvalidField("grouping.hits_per_group",
                        absl::StrCat("at most ", limits::kHitsPerGroupMax,
                                     ", got ", grouping.hits_per_group));
  }
  const uint32_t hits =
      (query.offset + query.limit) * std::max(1U, grouping.hits_per_group);
  if (hits > limits::kHitsMax) {
    return InvalidField(
        "grouping.hits_per_group",
        absl::StrCat("(offset + limit) x hits_per_group is at most ",
                     limits::kHitsMax, ", got ", hits));
  }
  if (grouping.candidates_max > limits::kGroupingCandidatesMax) {
    return InvalidField("grouping.candidates_max",
                        absl::StrCat("at most ", limits::kGroupingCandidatesMax,
                                     ", got ", grouping.candidates_max));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> ResolveField(const Schema& schema,
                                      const std::string& name,
                                      absl::string_view path) {
  if (name.empty()) {
    if (schema.vector_fields.size() == 1) {
      return uint16_t{0};
    }
    return InvalidField(path, schema.vector_fields.empty()
                                  ? "the collection has no dense vector field"
                                  : "the collection has several vector fields; "
                                    "name the one to search");
  }
  const std::optional<uint16_t> field = schema.FindVectorField(name);
  if (!field.has_value()) {
    return InvalidField(path, "the collection has no such vector field");
  }
  return *field;
}

// What is wrong with a source, below its path.
class SourceCheck {
 public:
  SourceCheck(const Schema& schema, const SearchQuery& query)
      : schema_(schema), query_(query) {}

  absl::Status CheckAll() {
    const size_t count = query_.sources.size();
    if (count == 0) {
      return InvalidField("sources", "at least one, got 0");
    }
    for (size_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(PrefixField(absl::StrCat("sources[", i, "]."),
                                  Check(query_.sources[i], 1)));
    }
    if (count > 1 || query_.fusion.has_value()) {
      return CheckFusion(query_.sources,
                         query_.fusion.value_or(FusionChoice()));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Check(const Source& source, size_t depth) {
    RETURN_IF_ERROR(CheckCandidates(ShareOf(source)));
    if (const auto* group = std::get_if<SourceGroup>(&source)) {
      return PrefixField("group.", CheckGroup(*group, depth));
    }
    if (++leaves_ > limits::kSourcesMax) {
      return InvalidField(
          "kind", absl::StrCat("a search has at most ", limits::kSourcesMax,
                               " sources, those in groups counted"));
    }
    if (const auto* text = std::get_if<TextSource>(&source)) {
      return PrefixField("text.", TextFieldsOf(schema_, *text).status());
    }
    if (const auto* sparse = std::get_if<SparseSource>(&source)) {
      return PrefixField("sparse.", CheckSparse(*sparse));
    }
    return PrefixField("dense.", CheckDense(std::get<DenseSource>(source)));
  }

  absl::Status CheckGroup(const SourceGroup& group, size_t depth) {
    if (depth >= limits::kSourceDepthMax) {
      return InvalidField("sources",
                          absl::StrCat("groups nest at most ",
                                       limits::kSourceDepthMax - 1, " deep"));
    }
    if (group.sources.empty()) {
      return InvalidField("sources", "at least one, got 0");
    }
    for (size_t i = 0; i < group.sources.size(); ++i) {
      RETURN_IF_ERROR(PrefixField(absl::StrCat("sources[", i, "]."),
                                  Check(group.sources[i], depth + 1)));
    }
    return CheckFusion(group.sources, group.fusion);
  }

  absl::Status CheckFusion(const std::vector<Source>& sources,
                           const FusionChoice& choice) const {
    ASSIGN_OR_RETURN(const Fusion fusion, FusionOf(schema_, sources, choice));
    return ValidateFusion(fusion);
  }

  absl::Status CheckCandidates(const SourceShare& share) const {
    if (share.candidates == 0) {
      return absl::OkStatus();
    }
    if (IsPlainDense(query_)) {
      return InvalidField("candidates",
                          "only with several sources, a fusion or boosts");
    }
    const uint32_t page_end = query_.limit + query_.offset;
    if (share.candidates < page_end || share.candidates > limits::kHitsMax) {
      return InvalidField(
          "candidates",
          absl::StrCat("must be from offset + limit (", page_end, ") to ",
                       limits::kHitsMax, ", got ", share.candidates));
    }
    return absl::OkStatus();
  }

  absl::Status CheckDense(const DenseSource& source) const {
    ASSIGN_OR_RETURN(const uint16_t field,
                     ResolveField(schema_, source.field, "field"));
    if (source.ef > limits::kEfMax) {
      return InvalidField("ef", absl::StrCat("must be at most ", limits::kEfMax,
                                             ", got ", source.ef));
    }
    if (source.exact && source.ef != 0) {
      return InvalidField("ef", "has no meaning with exact");
    }
    if (const auto* id = std::get_if<PointId>(&source.target)) {
      return ValidateId(schema_.id_kind, *id, "stored_point");
    }
    return ValidateVector(schema_.vector_fields[field],
                          std::get<std::vector<float>>(source.target),
                          "vector");
  }

  absl::Status CheckSparse(const SparseSource& source) const {
    RETURN_IF_ERROR(SparseFieldOf(schema_, source).status());
    const auto* id = std::get_if<PointId>(&source.target);
    return id == nullptr ? absl::OkStatus()
                         : ValidateId(schema_.id_kind, *id, "stored_point");
  }

  const Schema& schema_;
  const SearchQuery& query_;
  size_t leaves_ = 0;
};

// A recall target is for sources that do not say how hard to try.
absl::Status CheckEffort(const std::vector<Source>& sources) {
  for (size_t i = 0; i < sources.size(); ++i) {
    if (const auto* group = std::get_if<SourceGroup>(&sources[i])) {
      RETURN_IF_ERROR(CheckEffort(group->sources));
      continue;
    }
    const auto* dense = std::get_if<DenseSource>(&sources[i]);
    if (dense != nullptr && (dense->ef != 0 || dense->exact)) {
      return InvalidField(
          "recall_target",
          absl::StrCat("not together with sources[", i, "].dense.",
                       dense->exact ? "exact" : "ef",
                       ", which says how hard to try"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBoosts(const Schema& schema,
                         const std::vector<PayloadBoost>& boosts) {
  if (boosts.size() > limits::kBoostsMax) {
    return InvalidField("boosts", absl::StrCat("at most ", limits::kBoostsMax,
                                               ", got ", boosts.size()));
  }
  for (size_t i = 0; i < boosts.size(); ++i) {
    const std::string path = absl::StrCat("boosts[", i, "]");
    const std::optional<uint16_t> field =
        schema.FindPayloadField(boosts[i].field);
    if (!field.has_value()) {
      return InvalidField(path + ".field",
                          "the collection has no such payload field");
    }
    RETURN_IF_ERROR(ValidateBoost(boosts[i].boost, path));
    const bool of_keywords =
        std::holds_alternative<TableBoost>(boosts[i].boost.function);
    const FieldType type = schema.payload_fields[*field].type;
    if (of_keywords != (type == FieldType::kKeyword)) {
      return InvalidField(
          path + ".field",
          absl::StrCat("is of type ", FieldTypeName(type), "; ",
                       of_keywords
                           ? "a table is for keywords"
                           : "numbers and decays are not for keywords"));
    }
  }
  return absl::OkStatus();
}

// The least score of a source; none where it has no bound.
std::optional<double> LeastScore(const Schema& schema, const Source& source) {
  if (const auto* dense = std::get_if<DenseSource>(&source)) {
    const Metric metric =
        schema.vector_fields[VectorFieldOf(schema, *dense)].metric;
    return metric == Metric::kCosine ? std::optional<double>(-1) : std::nullopt;
  }
  if (std::holds_alternative<TextSource>(source)) {
    return 0;
  }
  if (std::holds_alternative<SparseSource>(source)) {
    return std::nullopt;  // weights may be negative
  }
  const auto& group = std::get<SourceGroup>(source);
  return group.fusion.method == FusionMethod::kReciprocalRank
             ? std::optional<double>(0)
             : std::nullopt;
}

}  // namespace

const SourceShare& ShareOf(const Source& source) {
  return std::visit(
      [](const auto& one) -> const SourceShare& { return one.share; }, source);
}

absl::StatusOr<std::vector<TextSearchField>> TextFieldsOf(
    const Schema& schema, const TextSource& source) {
  std::vector<TextSourceField> wanted = source.fields;
  if (schema.text_fields.empty()) {
    return InvalidField("fields", "the collection has no text field");
  }
  if (wanted.empty()) {
    for (const TextFieldSchema& field : schema.text_fields) {
      wanted.push_back({field.name});
    }
  }
  std::vector<TextSearchField> fields;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string path = absl::StrCat("fields[", i, "]");
    const std::optional<uint16_t> number = schema.FindTextField(wanted[i].name);
    if (!number.has_value()) {
      return InvalidField(path + ".name",
                          "the collection has no such text field");
    }
    if (!(wanted[i].weight >= 0 && wanted[i].weight <= kBoostMax)) {
      return InvalidField(path + ".weight",
                          absl::StrCat("must be from 0 to ", kBoostMax,
                                       ", got ", wanted[i].weight));
    }
    const TextFieldSchema& field = schema.text_fields[*number];
    for (const TextSearchField& earlier : fields) {
      if (earlier.number == *number) {
        return InvalidField(path + ".name", "named twice");
      }
    }
    fields.push_back({.name = field.name,
                      .number = *number,
                      .analyzer = field.analyzer.get(),
                      .weight = wanted[i].weight,
                      .bm25 = field.bm25,
                      .has_positions = field.positions});
  }
  return fields;
}

bool IsRankedByPlaces(const SearchQuery& query) {
  if (query.sources.size() > 1 || query.fusion.has_value()) {
    return query.fusion.value_or(FusionChoice()).method ==
           FusionMethod::kReciprocalRank;
  }
  const auto* const group = std::get_if<SourceGroup>(&query.sources.front());
  return group != nullptr &&
         group->fusion.method == FusionMethod::kReciprocalRank;
}

bool IsPlainDense(const SearchQuery& query) {
  return query.sources.size() == 1 &&
         std::holds_alternative<DenseSource>(query.sources.front()) &&
         !query.fusion.has_value() && query.boosts.empty();
}

uint16_t VectorFieldOf(const Schema& schema, const DenseSource& source) {
  return source.field.empty()
             ? uint16_t{0}
             : schema.FindVectorField(source.field).value_or(0);
}

absl::StatusOr<uint16_t> SparseFieldOf(const Schema& schema,
                                       const SparseSource& source) {
  if (schema.sparse_fields.empty()) {
    return InvalidField("field", "the collection has no sparse field");
  }
  if (source.field.empty()) {
    if (schema.sparse_fields.size() == 1) {
      return uint16_t{0};
    }
    return InvalidField("field",
                        "the collection has several sparse fields; name the "
                        "one to search");
  }
  const std::optional<uint16_t> field = schema.FindSparseField(source.field);
  if (!field.has_value()) {
    return InvalidField("field", "the collection has no such sparse field");
  }
  return *field;
}

absl::StatusOr<Fusion> FusionOf(const Schema& schema,
                                const std::vector<Source>& sources,
                                const FusionChoice& choice) {
  Fusion fusion{.method = choice.method, .rank_constant = choice.rank_constant};
  for (size_t i = 0; i < sources.size(); ++i) {
    const SourceShare& share = ShareOf(sources[i]);
    FusionInput input{.weight = share.weight,
                      .normaliser = share.normaliser.value_or(
                          FusionNormaliser::kTheoreticalMinimum),
                      .uses_true_scores = share.uses_true_scores};
    const std::optional<double> least = share.theoretical_minimum.has_value()
                                            ? share.theoretical_minimum
                                            : LeastScore(schema, sources[i]);
    if (!least.has_value() && choice.method == FusionMethod::kLinear &&
        input.normaliser == FusionNormaliser::kTheoreticalMinimum) {
      return InvalidField(
          absl::StrCat("sources[", i, "].normaliser"),
          "the scores of this source have no least one; give another "
          "normaliser, or `theoretical_minimum`");
    }
    input.theoretical_minimum = least.value_or(0);
    fusion.inputs.push_back(input);
  }
  return fusion;
}

absl::Status ValidateQuery(const Schema& schema, const SearchQuery& query) {
  RETURN_IF_ERROR(ValidatePage(query));
  RETURN_IF_ERROR(ValidateRecallTarget(query));
  RETURN_IF_ERROR(ValidateDiversity(query));
  RETURN_IF_ERROR(ValidateGrouping(schema, query));
  RETURN_IF_ERROR(ValidateProjection(schema, query.projection, "projection"));
  if (query.recall_target != 0) {
    RETURN_IF_ERROR(CheckEffort(query.sources));
  }
  RETURN_IF_ERROR(SourceCheck(schema, query).CheckAll());
  RETURN_IF_ERROR(ValidateHighlighting(schema, query));
  RETURN_IF_ERROR(ValidateCutOff(query));
  return CheckBoosts(schema, query.boosts);
}

absl::Status ValidateProjection(const Schema& schema,
                                const Projection& projection,
                                absl::string_view path) {
  for (size_t i = 0; i < projection.vectors.size(); ++i) {
    const std::string& name = projection.vectors[i];
    if (!schema.FindVectorField(name).has_value() &&
        !schema.FindSparseField(name).has_value()) {
      return InvalidField(absl::StrCat(path, ".vectors[", i, "]"),
                          "the collection has no such vector field");
    }
  }
  return absl::OkStatus();
}

}  // namespace sextant
