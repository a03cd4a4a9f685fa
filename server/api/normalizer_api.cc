// SPDX-License-Identifier: Apache-2.0
#include "server/api/normalizer_api.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/normalizer_catalog.h"
#include "server/api/find_collection.h"
#include "server/convert/normalizer.h"
#include "server/convert/point.h"

namespace sextant {
namespace {

// Keeps the collection while its catalogue is used.
struct FoundNormalizers {
  std::shared_ptr<Collection> collection;
  NormalizerCatalog* catalog = nullptr;
};

absl::StatusOr<FoundNormalizers> FindNormalizers(
    const ApiEnvironment& environment, const std::string& name) {
  FoundNormalizers found;
  ASSIGN_OR_RETURN(found.collection, FindCollection(environment, name));
  ASSIGN_OR_RETURN(found.catalog, found.collection->normalizers());
  return found;
}

}  // namespace

absl::Status NormalizerApi::PutBank(const v1::PutBankRequest& request,
                                    const RequestContext& context,
                                    v1::PutBankResponse* response) const {
  ASSIGN_OR_RETURN(const FoundNormalizers found,
                   FindNormalizers(environment_, request.collection()));
  BankUpload upload{request.name(), request.field(), request.gallery(), {}};
  if (static_cast<size_t>(request.vectors_size()) > limits::kBankRowsMax) {
    return InvalidField("vectors",
                        absl::StrCat("1 to ", limits::kBankRowsMax, ", got ",
                                     request.vectors_size()));
  }
  for (int i = 0; i < request.vectors_size(); ++i) {
    ASSIGN_OR_RETURN(
        std::vector<float> vector,
        ToFloats(request.vectors(i), absl::StrCat("vectors[", i, "]")));
    upload.vectors.push_back(std::move(vector));
  }
  RETURN_IF_ERROR(
      found.catalog->PutBank(upload, context, WhenOf(request.no_wait()))
          .status());
  FromBankOf(*found.catalog, request.name(), response->mutable_bank());
  return absl::OkStatus();
}

absl::Status NormalizerApi::SampleBank(const v1::SampleBankRequest& request,
                                       const RequestContext& context,
                                       v1::SampleBankResponse* response) const {
  ASSIGN_OR_RETURN(const FoundNormalizers found,
                   FindNormalizers(environment_, request.collection()));
  RETURN_IF_ERROR(found.catalog
                      ->SampleBank({request.name(), request.field(),
                                    request.count(), request.seed()},
                                   context, WhenOf(request.no_wait()))
                      .status());
  FromBankOf(*found.catalog, request.name(), response->mutable_bank());
  return absl::OkStatus();
}

absl::Status NormalizerApi::ListBanks(const v1::ListBanksRequest& request,
                                      const RequestContext& /*context*/,
                                      v1::ListBanksResponse* response) const {
  ASSIGN_OR_RETURN(const FoundNormalizers found,
                   FindNormalizers(environment_, request.collection()));
  for (const BankStatus& status : found.catalog->ListBanks()) {
    FromBank(status, response->add_banks());
  }
  return absl::OkStatus();
}

absl::Status NormalizerApi::DeleteBank(
    const v1::DeleteBankRequest& request, const RequestContext& /*context*/,
    v1::DeleteBankResponse* /*response*/) const {
  ASSIGN_OR_RETURN(const FoundNormalizers found,
                   FindNormalizers(environment_, request.collection()));
  return found.catalog->DeleteBank(request.name());
}

absl::Status NormalizerApi::PutNormalizer(
    const v1::PutNormalizerRequest& request, const RequestContext& context,
    v1::PutNormalizerResponse* response) const {
  ASSIGN_OR_RETURN(const FoundNormalizers found,
                   FindNormalizers(environment_, request.collection()));
  absl::StatusOr<storage::NormalizerRecord> record =
      ToNormalizer(request.normalizer());
  if (record.ok()) {
    record = found.catalog->PutNormalizer(*std::move(record), context,
                                          WhenOf(request.no_wait()));
  }
  if (!record.ok()) {
    return PrefixField("normalizer.", record.status());
  }
  for (const NormalizerStatus& status : found.catalog->ListNormalizers()) {
    if (status.record.name() == record->name()) {
      FromNormalizer(status, response->mutable_normalizer());
    }
  }
  environment_.log->Info(
      "normalizer changed",
      {{"collection", absl::string_view(request.collection())},
       {"normalizer", absl::string_view(record->name())}});
  return absl::OkStatus();
}

absl::Status NormalizerApi::ListNormalizers(
    const v1::ListNormalizersRequest& request, const RequestContext& context,
    v1::ListNormalizersResponse* response) const {
  ASSIGN_OR_RETURN(const FoundNormalizers found,
                   FindNormalizers(environment_, request.collection()));
  ASSIGN_OR_RETURN(QueryWatch* const watch, found.collection->query_watch());
  watch->Measure(std::chrono::steady_clock::now(), context);
  RETURN_IF_ERROR(context.Check());
  for (const NormalizerStatus& status : found.catalog->ListNormalizers()) {
    v1::Normalizer* const message = response->add_normalizers();
    FromNormalizer(status, message);
    if (const auto shift = watch->ShiftOf(status.record.name());
        shift.has_value()) {
      FromQueryShift(*shift, message->mutable_query_shift());
    }
  }
  return absl::OkStatus();
}

absl::Status NormalizerApi::DeleteNormalizer(
    const v1::DeleteNormalizerRequest& request,
    const RequestContext& /*context*/,
    v1::DeleteNormalizerResponse* /*response*/) const {
  ASSIGN_OR_RETURN(const FoundNormalizers found,
                   FindNormalizers(environment_, request.collection()));
  return found.catalog->DeleteNormalizer(request.name());
}

}  // namespace sextant
