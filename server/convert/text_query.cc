// SPDX-License-Identifier: Apache-2.0
#include "server/convert/text_query.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/text_query_string.h"

namespace sextant {
namespace {

using Queries = google::protobuf::RepeatedPtrField<v1::TextQuery>;

absl::StatusOr<TextQuery> ToTree(const v1::TextQuery& message, size_t depth);

absl::Status ToTrees(const Queries& messages, absl::string_view name,
                     size_t depth, std::vector<TextQuery>* queries) {
  for (int i = 0; i < messages.size(); ++i) {
    absl::StatusOr<TextQuery> query = ToTree(messages[i], depth);
    if (!query.ok()) {
      return PrefixField(absl::StrCat("bool.", name, "[", i, "]."),
                         query.status());
    }
    queries->push_back(*std::move(query));
  }
  return absl::OkStatus();
}

absl::Status ToBool(const v1::TextBool& message, size_t depth,
                    TextQuery* query) {
  query->kind = TextQueryKind::kBool;
  query->minimum_should_match = message.minimum_should_match();
  RETURN_IF_ERROR(ToTrees(message.must(), "must", depth, &query->must));
  RETURN_IF_ERROR(ToTrees(message.should(), "should", depth, &query->should));
  return ToTrees(message.must_not(), "must_not", depth, &query->must_not);
}

// A tree that nests without end is refused before it is followed.
absl::StatusOr<TextQuery> ToTree(const v1::TextQuery& message, size_t depth) {
  if (depth > kTextQueryDepthMax) {
    return InvalidField("bool", absl::StrCat("nested deeper than ",
                                             kTextQueryDepthMax, " levels"));
  }
  TextQuery query;
  query.field = message.field();
  if (message.has_boost()) {
    query.boost = message.boost();
  }
  switch (message.kind_case()) {
    case v1::TextQuery::kAnyOf:
      query.text = message.any_of();
      return query;
    case v1::TextQuery::kAllOf:
      query.text = message.all_of();
      query.all_tokens = true;
      return query;
    case v1::TextQuery::kTerm:
      query.kind = TextQueryKind::kTerm;
      query.text = message.term();
      return query;
    case v1::TextQuery::kPhrase:
      query.kind = TextQueryKind::kPhrase;
      query.text = message.phrase().text();
      query.slop = message.phrase().slop();
      return query;
    case v1::TextQuery::kPrefix:
      query.kind = TextQueryKind::kPrefix;
      query.text = message.prefix();
      return query;
    case v1::TextQuery::kBool: {
      RETURN_IF_ERROR(ToBool(message.bool_(), depth + 1, &query));
      return query;
    }
    case v1::TextQuery::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind",
                      "required: `any_of`, `all_of`, `term`, `phrase`, "
                      "`prefix` or `bool`");
}

absl::StatusOr<TextQuery> ToQuery(const v1::TextSource& message) {
  switch (message.query_case()) {
    case v1::TextSource::kText:
      return TextQueryFromString(message.text(), "text.text");
    case v1::TextSource::kTree: {
      absl::StatusOr<TextQuery> query = ToTree(message.tree(), 1);
      if (!query.ok()) {
        return PrefixField("text.tree.", query.status());
      }
      RETURN_IF_ERROR(ValidateTextQuery(*query, "text.tree"));
      return query;
    }
    case v1::TextSource::QUERY_NOT_SET:
      break;
  }
  return InvalidField("text", "required: `text` or `tree`");
}

}  // namespace

absl::StatusOr<TextSource> ToTextSource(const v1::TextSource& message) {
  TextSource source;
  ASSIGN_OR_RETURN(source.query, ToQuery(message));
  if (static_cast<size_t>(message.fields_size()) > limits::kTextFieldsMax) {
    return InvalidField("text.fields",
                        absl::StrCat("at most ", limits::kTextFieldsMax,
                                     ", got ", message.fields_size()));
  }
  for (const v1::TextSourceField& field : message.fields()) {
    source.fields.push_back(
        {field.name(), field.has_weight() ? field.weight() : 1.0F});
  }
  switch (message.corpus()) {
    case v1::TEXT_CORPUS_UNSPECIFIED:
    case v1::TEXT_CORPUS_COLLECTION:
      source.corpus = TextCorpus::kCollection;
      break;
    case v1::TEXT_CORPUS_FILTERED:
      source.corpus = TextCorpus::kFiltered;
      break;
    default:
      return InvalidField(
          "text.corpus",
          absl::StrCat("must be TEXT_CORPUS_COLLECTION or _FILTERED, got "
                       "number ",
                       static_cast<int>(message.corpus())));
  }
  return source;
}

void FromTerms(const std::vector<TextScorePart>& terms,
               v1::SourceExplanation* message) {
  for (const TextScorePart& term : terms) {
    v1::TextTermScore* const wire = message->add_terms();
    wire->set_field(term.field);
    wire->set_term(term.term);
    wire->set_tf(term.tf);
    wire->set_df(term.df);
    wire->set_idf(term.idf);
    wire->set_length(term.length);
    wire->set_average_length(term.average_length);
    wire->set_weight(term.weight);
    wire->set_score(term.score);
  }
}

}  // namespace sextant
