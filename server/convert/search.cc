// SPDX-License-Identifier: Apache-2.0
#include "server/convert/search.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "server/convert/filter.h"
#include "server/convert/point.h"
#include "server/convert/source.h"

namespace sextant {
namespace {

ScoreGap ToScoreGap(const v1::ScoreGap& message) {
  ScoreGap rule{.candidates = message.candidates(),
                .empty_without_gap = message.empty_without_gap()};
  if (message.has_min_gap()) {
    rule.min_gap = message.min_gap();
  }
  if (message.has_min_ratio()) {
    rule.min_ratio = message.min_ratio();
  }
  return rule;
}

absl::StatusOr<std::optional<CutOff>> ToCutOff(
    const v1::SearchRequest& message) {
  if (!message.has_cut_off()) {
    return std::optional<CutOff>();
  }
  switch (message.cut_off().kind_case()) {
    case v1::CutOff::kMinScore:
      return std::optional<CutOff>(MinScore{message.cut_off().min_score()});
    case v1::CutOff::kScoreGap:
      return std::optional<CutOff>(ToScoreGap(message.cut_off().score_gap()));
    case v1::CutOff::kAdapter: {
      const v1::AdapterCutOff& wire = message.cut_off().adapter();
      AdapterCutOff cut_off{.name = wire.name()};
      if (wire.has_threshold()) {
        cut_off.threshold = wire.threshold();
      }
      return std::optional<CutOff>(std::move(cut_off));
    }
    case v1::CutOff::KIND_NOT_SET:
      break;
  }
  return InvalidField("cut_off",
                      "required: a kind that this server knows: `min_score`, "
                      "`score_gap`, `adapter`");
}

absl::StatusOr<std::optional<Diversity>> ToDiversity(
    const v1::SearchRequest& message) {
  if (message.stages_size() == 0) {
    return std::optional<Diversity>();
  }
  if (message.stages_size() > 1) {
    return InvalidField(
        "stages", absl::StrCat("at most one, got ", message.stages_size()));
  }
  switch (message.stages(0).kind_case()) {
    case v1::Stage::kDiversity: {
      const v1::Diversity& wire = message.stages(0).diversity();
      Diversity diversity;
      if (wire.has_strength()) {
        diversity.strength = wire.strength();
      }
      diversity.candidates = wire.candidates();
      return std::optional<Diversity>(diversity);
    }
    case v1::Stage::KIND_NOT_SET:
      break;
  }
  return InvalidField("stages[0]",
                      "required: a kind that this server knows: `diversity`");
}

std::optional<Grouping> ToGrouping(const v1::SearchRequest& message) {
  if (!message.has_grouping()) {
    return std::nullopt;
  }
  const v1::Grouping& wire = message.grouping();
  return Grouping{wire.field(), wire.hits_per_group(), wire.candidates_max()};
}

std::optional<Highlighting> ToHighlighting(const v1::SearchRequest& message) {
  if (!message.has_highlight()) {
    return std::nullopt;
  }
  const v1::Highlighting& wire = message.highlight();
  Highlighting highlight{.fragment_bytes = wire.fragment_bytes(),
                         .fragments = wire.fragments(),
                         .whole_texts = wire.whole_texts()};
  highlight.fields.assign(wire.fields().begin(), wire.fields().end());
  return highlight;
}

absl::Status CheckPage(const v1::SearchRequest& message) {
  if (message.limit() < 1 || message.limit() > limits::kHitsMax) {
    return InvalidField("limit", absl::StrCat("must be 1 to ", limits::kHitsMax,
                                              ", got ", message.limit()));
  }
  const uint64_t end = uint64_t{message.offset()} + message.limit();
  if (end > limits::kHitsMax) {
    return InvalidField(
        "offset", absl::StrCat("offset + limit is at most ", limits::kHitsMax,
                               ", got ", end));
  }
  return absl::OkStatus();
}

// Sources, fusion and boosts.
absl::Status ToRanking(const v1::SearchRequest& message, SearchQuery* query) {
  const int count = message.sources_size();
  if (count < 1 || static_cast<size_t>(count) > limits::kSourcesMax) {
    return InvalidField(
        "sources", absl::StrCat("1 to ", limits::kSourcesMax, ", got ", count));
  }
  for (int i = 0; i < count; ++i) {
    absl::StatusOr<Source> source = ToSource(message.sources(i));
    if (!source.ok()) {
      return PrefixField(absl::StrCat("sources[", i, "]."), source.status());
    }
    query->sources.push_back(*std::move(source));
  }
  if (message.has_fusion()) {
    ASSIGN_OR_RETURN(query->fusion, ToFusion(message.fusion()));
  }
  if (static_cast<size_t>(message.boosts_size()) > limits::kBoostsMax) {
    return InvalidField("boosts",
                        absl::StrCat("at most ", limits::kBoostsMax, ", got ",
                                     message.boosts_size()));
  }
  for (int i = 0; i < message.boosts_size(); ++i) {
    absl::StatusOr<PayloadBoost> boost = ToBoost(message.boosts(i));
    if (!boost.ok()) {
      return PrefixField(absl::StrCat("boosts[", i, "]."), boost.status());
    }
    query->boosts.push_back(*std::move(boost));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SearchCall> ToSearchCall(const v1::SearchRequest& message) {
  SearchCall call;
  RETURN_IF_ERROR(CheckPage(message));
  RETURN_IF_ERROR(ToRanking(message, &call.query));
  ASSIGN_OR_RETURN(call.query.filter, ToOptionalFilter(message));
  ASSIGN_OR_RETURN(call.query.cut_off, ToCutOff(message));
  ASSIGN_OR_RETURN(call.query.diversity, ToDiversity(message));
  call.query.grouping = ToGrouping(message);
  call.query.highlight = ToHighlighting(message);
  call.query.limit = message.limit();
  call.query.offset = message.offset();
  call.query.recall_target = message.recall_target();
  call.query.explain = message.explain();
  ASSIGN_OR_RETURN(ReturnedParts parts, ToReturnedParts(message.projection()));
  call.query.projection = std::move(parts.projection);
  call.form = {parts.raw_vectors, message.explain(), message.packed_hits()};
  if (call.form.packed &&
      (call.query.projection.payload || call.query.projection.any_vectors())) {
    return InvalidField("packed_hits",
                        "not with a payload or vectors in the projection");
  }
  if (call.form.packed && call.query.highlight.has_value()) {
    return InvalidField("packed_hits", "not with highlight");
  }
  return call;
}

absl::Status CheckBatch(const v1::SearchBatchRequest& message) {
  const int count = message.searches_size();
  if (count < 1 || static_cast<size_t>(count) > limits::kSearchesPerBatchMax) {
    return InvalidField("searches",
                        absl::StrCat("1 to ", limits::kSearchesPerBatchMax,
                                     " in a batch, got ", count));
  }
  uint64_t hits = 0;
  for (const v1::SearchRequest& search : message.searches()) {
    // Of groups, each with so many hits.
    hits += (uint64_t{search.offset()} + search.limit()) *
            std::clamp(search.grouping().hits_per_group(), 1U,
                       limits::kHitsPerGroupMax);
  }
  // Requests that are wrong by themselves are named one by one later.
  if (hits > limits::kHitsPerBatchMax) {
    return InvalidField("searches",
                        absl::StrCat("the sum of offset + limit is at most ",
                                     limits::kHitsPerBatchMax, ", got ", hits));
  }
  return absl::OkStatus();
}

namespace {

void Pack(const std::vector<Hit>& hits, v1::PackedHits* message) {
  const auto count = static_cast<int>(hits.size());
  message->mutable_scores()->Reserve(count);
  const bool numbers =
      !hits.empty() && std::holds_alternative<uint64_t>(hits.front().point.id);
  if (numbers) {
    message->mutable_nums()->Reserve(count);
  }
  for (const Hit& hit : hits) {
    if (const auto* number = std::get_if<uint64_t>(&hit.point.id)) {
      message->add_nums(*number);
    } else {
      message->add_strs(std::get<std::string>(hit.point.id));
    }
    message->add_scores(hit.score);
  }
}

void FromHighlights(std::vector<FieldHighlight> highlights, v1::Hit* message) {
  for (FieldHighlight& highlight : highlights) {
    v1::FieldHighlight* const field = message->add_highlights();
    field->set_field(highlight.field);
    for (HighlightFragment& fragment : highlight.fragments) {
      v1::HighlightFragment* const wire = field->add_fragments();
      wire->set_text(std::move(fragment.text));
      wire->set_value_index(fragment.value);
      wire->set_begin(fragment.begin);
      for (const TextRange& match : fragment.matches) {
        v1::HighlightMatch* const place = wire->add_matches();
        place->set_begin(match.begin);
        place->set_end(match.end);
      }
    }
  }
}

void FromCutOff(const CutOffOutcome& outcome, v1::CutOffOutcome* message) {
  message->set_candidates(outcome.candidates);
  message->set_kept(outcome.kept);
  if (outcome.least_score.has_value()) {
    message->set_least_score(*outcome.least_score);
  }
  if (outcome.best_score.has_value()) {
    message->set_best_score(*outcome.best_score);
  }
  message->set_nothing_relevant(outcome.nothing_relevant);
}

void FromHits(std::vector<Hit> hits, AnswerForm form,
              v1::SearchResponse* message) {
  message->mutable_hits()->Reserve(static_cast<int>(hits.size()));
  for (Hit& hit : hits) {
    v1::Hit* const wire = message->add_hits();
    FromPointId(hit.point.id, wire->mutable_id());
    wire->set_score(hit.score);
    wire->set_payload(std::move(hit.point.payload));
    FromVectors(hit.point, form.raw_vectors, wire);
    FromHighlights(std::move(hit.highlights), wire);
    if (hit.correction.has_value()) {
      v1::ScoreCorrection* const correction = wire->mutable_correction();
      correction->set_raw(hit.correction->raw);
      correction->set_bias(hit.correction->bias);
    }
    if (hit.explanation.has_value()) {
      FromExplanation(*hit.explanation, wire->mutable_explanation());
    }
  }
}

}  // namespace

void FromSearchResult(SearchResult result, AnswerForm form,
                      v1::SearchResponse* message) {
  if (form.packed) {
    Pack(result.hits, message->mutable_packed());
  } else {
    FromHits(std::move(result.hits), form, message);
  }
  for (const HitGroup& group : result.groups) {
    v1::HitGroup* const wire = message->add_groups();
    FromFieldValue(group.type, group.value, wire->mutable_key());
    wire->set_hits(group.hits);
  }
  if (result.cut_off.has_value()) {
    FromCutOff(*result.cut_off, message->mutable_cut_off());
  }
  message->set_applied_seq(result.applied_seq);
  message->set_expected_recall(result.expected_recall);
  message->set_server_seconds(result.seconds);
  if (!form.explain) {
    return;
  }
  v1::Explanation* const explanation = message->mutable_explanation();
  explanation->set_plan(std::move(result.plan));
  for (const StageTiming& stage : result.stages) {
    v1::StageTiming* const wire = explanation->add_stages();
    wire->set_name(stage.name);
    wire->set_candidates_in(stage.candidates_in);
    wire->set_candidates_out(stage.candidates_out);
    wire->set_distances(stage.distances);
    wire->set_seconds(stage.seconds);
  }
}

}  // namespace sextant
