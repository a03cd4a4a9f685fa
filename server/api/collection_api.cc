// SPDX-License-Identifier: Apache-2.0
#include "server/api/collection_api.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "server/api/find_collection.h"
#include "server/convert/collection.h"
#include "server/convert/page_token.h"

namespace sextant {

absl::Status CollectionApi::Create(
    const v1::CreateCollectionRequest& request, const RequestContext& context,
    v1::CreateCollectionResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  RETURN_IF_ERROR(ValidateName(request.name(), "name"));
  ASSIGN_OR_RETURN(const Schema schema, ToSchema(request.schema(), "schema"));
  RETURN_IF_ERROR(context.Check());
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   database->Create(request.name(), schema));
  FromCollectionInfo(collection->Info(), response->mutable_collection());
  environment_.log->Info("collection created",
                         {{"collection", absl::string_view(request.name())}});
  return absl::OkStatus();
}

absl::Status CollectionApi::Get(const v1::GetCollectionRequest& request,
                                const RequestContext& /*context*/,
                                v1::GetCollectionResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.name(), "name"));
  FromCollectionInfo(collection->Info(), response->mutable_collection());
  return absl::OkStatus();
}

absl::Status CollectionApi::List(const v1::ListCollectionsRequest& request,
                                 const RequestContext& context,
                                 v1::ListCollectionsResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  ASSIGN_OR_RETURN(const std::string after,
                   ReadListToken(request.page_token()));
  const size_t page = request.page_size() == 0
                          ? limits::kPageDefault
                          : std::min(request.page_size(), limits::kListPageMax);
  // One more than asked for tells whether there is a next page.
  std::vector<std::shared_ptr<Collection>> collections =
      database->List(after, page + 1);
  const bool more = collections.size() > page;
  collections.resize(std::min(collections.size(), page));
  for (const std::shared_ptr<Collection>& collection : collections) {
    RETURN_IF_ERROR(context.Check());
    FromCollectionInfo(collection->Info(), response->add_collections());
  }
  if (more) {
    response->set_next_page_token(MakeListToken(collections.back()->name()));
  }
  return absl::OkStatus();
}

absl::Status CollectionApi::AddField(
    const v1::AddPayloadFieldRequest& request, const RequestContext& context,
    v1::AddPayloadFieldResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  RETURN_IF_ERROR(ValidateName(request.collection(), "collection"));
  ASSIGN_OR_RETURN(const PayloadFieldSchema field,
                   ToPayloadField(request.field(), "field"));
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   database->Find(request.collection()));
  RETURN_IF_ERROR(collection->AddPayloadField(field, context));
  FromCollectionInfo(collection->Info(), response->mutable_collection());
  environment_.log->Info(
      "payload field added",
      {{"collection", absl::string_view(request.collection())},
       {"field", absl::string_view(field.name)}});
  return absl::OkStatus();
}

absl::Status CollectionApi::UpdateTextField(
    const v1::UpdateTextFieldRequest& request, const RequestContext& context,
    v1::UpdateTextFieldResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  RETURN_IF_ERROR(ValidateName(request.collection(), "collection"));
  ASSIGN_OR_RETURN(const TextFieldUpdate update, ToTextFieldUpdate(request));
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   database->Find(request.collection()));
  RETURN_IF_ERROR(collection->UpdateTextField(update, context));
  FromCollectionInfo(collection->Info(), response->mutable_collection());
  environment_.log->Info(
      "text field updated",
      {{"collection", absl::string_view(request.collection())},
       {"field", absl::string_view(request.field())}});
  return absl::OkStatus();
}

absl::Status CollectionApi::Delete(
    const v1::DeleteCollectionRequest& request, const RequestContext& context,
    v1::DeleteCollectionResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  RETURN_IF_ERROR(ValidateName(request.name(), "name"));
  RETURN_IF_ERROR(context.Check());
  ASSIGN_OR_RETURN(const uint64_t point_count, database->Drop(request.name()));
  response->set_point_count(point_count);
  environment_.log->Info("collection deleted",
                         {{"collection", absl::string_view(request.name())},
                          {"points", point_count}});
  return absl::OkStatus();
}

absl::Status CollectionApi::Analyze(const v1::AnalyzeRequest& request,
                                    const RequestContext& context,
                                    v1::AnalyzeResponse* response) const {
  if (request.text().size() > limits::kPayloadBytesMax) {
    return InvalidField("text",
                        absl::StrCat("at most ", limits::kPayloadBytesMax,
                                     " bytes, got ", request.text().size()));
  }
  if (request.has_analyzer() !=
      (request.collection().empty() && request.field().empty())) {
    return InvalidField("analyzer",
                        "either `collection` and `field`, or `analyzer`");
  }
  std::shared_ptr<const Analyzer> analyzer;
  if (request.has_analyzer()) {
    ASSIGN_OR_RETURN(const AnalyzerSpec spec,
                     ToAnalyzer(request.analyzer(), "analyzer"));
    RETURN_IF_ERROR(ValidateAnalyzer(spec, "analyzer"));
    ASSIGN_OR_RETURN(analyzer, Analyzer::Create(spec));
  } else {
    ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                     FindCollection(environment_, request.collection()));
    const std::shared_ptr<const Schema> schema = collection->schema();
    const std::optional<uint16_t> field =
        schema->FindTextField(request.field());
    if (!field.has_value()) {
      return InvalidField("field", "the collection has no such text field");
    }
    analyzer = schema->text_fields[*field].analyzer;
  }
  RETURN_IF_ERROR(context.Check());
  TokenList tokens;
  if (const absl::Status status = analyzer->Analyze(request.text(), tokens);
      !status.ok()) {
    return InvalidField("text", status.message());
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token token = tokens[i];
    v1::Token* const wire = response->add_tokens();
    wire->set_term(std::string(token.term));
    wire->set_position(token.position);
    wire->set_begin(token.begin);
    wire->set_end(token.end);
  }
  return absl::OkStatus();
}

}  // namespace sextant
