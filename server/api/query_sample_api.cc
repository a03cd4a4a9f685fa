// SPDX-License-Identifier: Apache-2.0
#include "server/api/query_sample_api.h"

#include <memory>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "engine/normalizer_catalog.h"
#include "engine/query_sampler.h"
#include "server/api/find_collection.h"
#include "server/convert/normalizer.h"

namespace sextant {
namespace {

// Keeps the collection while its samples are used.
struct FoundSamples {
  std::shared_ptr<Collection> collection;
  QuerySampler* queries = nullptr;
};

absl::StatusOr<FoundSamples> FindSamples(const ApiEnvironment& environment,
                                         const std::string& name) {
  FoundSamples found;
  ASSIGN_OR_RETURN(found.collection, FindCollection(environment, name));
  ASSIGN_OR_RETURN(found.queries, found.collection->queries());
  return found;
}

void FromInfo(const QuerySampleInfo& info, v1::QuerySample* message) {
  message->set_field(info.field);
  message->set_capacity(info.capacity);
  message->set_seed(info.seed);
  message->set_seen(info.seen);
  message->set_kept(info.kept);
}

}  // namespace

absl::Status QuerySampleApi::Set(const v1::SetQuerySampleRequest& request,
                                 const RequestContext& /*context*/,
                                 v1::SetQuerySampleResponse* response) const {
  ASSIGN_OR_RETURN(const FoundSamples found,
                   FindSamples(environment_, request.collection()));
  ASSIGN_OR_RETURN(const QuerySampleInfo info,
                   found.queries->Start(request.field(), request.capacity(),
                                        request.seed()));
  environment_.log->Info(
      info.capacity == 0 ? "queries are not sampled any more"
                         : "queries are sampled",
      {{"collection", absl::string_view(request.collection())},
       {"field", absl::string_view(info.field)}});
  FromInfo(info, response->mutable_sample());
  return absl::OkStatus();
}

absl::Status QuerySampleApi::List(
    const v1::ListQuerySamplesRequest& request,
    const RequestContext& /*context*/,
    v1::ListQuerySamplesResponse* response) const {
  ASSIGN_OR_RETURN(const FoundSamples found,
                   FindSamples(environment_, request.collection()));
  for (const QuerySampleInfo& info : found.queries->List()) {
    FromInfo(info, response->add_samples());
  }
  return absl::OkStatus();
}

absl::Status QuerySampleApi::Clear(
    const v1::ClearQuerySampleRequest& request,
    const RequestContext& /*context*/,
    v1::ClearQuerySampleResponse* response) const {
  ASSIGN_OR_RETURN(const FoundSamples found,
                   FindSamples(environment_, request.collection()));
  ASSIGN_OR_RETURN(const QuerySampleInfo info,
                   found.queries->Clear(request.field()));
  FromInfo(info, response->mutable_sample());
  return absl::OkStatus();
}

absl::Status QuerySampleApi::PutBank(
    const v1::PutBankOfQueriesRequest& request, const RequestContext& context,
    v1::PutBankOfQueriesResponse* response) const {
  ASSIGN_OR_RETURN(const FoundSamples found,
                   FindSamples(environment_, request.collection()));
  ASSIGN_OR_RETURN(NormalizerCatalog* const catalog,
                   found.collection->normalizers());
  BankUpload upload{request.name(), request.field(), /*gallery=*/false, {}};
  ASSIGN_OR_RETURN(upload.vectors, found.queries->Vectors(request.field()));
  RETURN_IF_ERROR(
      catalog->PutBank(upload, context, WhenOf(request.no_wait())).status());
  FromBankOf(*catalog, request.name(), response->mutable_bank());
  return absl::OkStatus();
}

}  // namespace sextant
