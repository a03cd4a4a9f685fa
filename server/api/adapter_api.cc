// SPDX-License-Identifier: Apache-2.0
#include "server/api/adapter_api.h"

#include <memory>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/adapter_catalog.h"
#include "engine/fit_adapter.h"
#include "server/api/find_collection.h"
#include "server/convert/adapter.h"

namespace sextant {
namespace {

void LogChange(const ApiEnvironment& environment, const std::string& collection,
               const Adapter& adapter) {
  environment.log->Info("adapter changed",
                        {{"collection", absl::string_view(collection)},
                         {"adapter", absl::string_view(adapter.name)}});
}

}  // namespace

absl::Status AdapterApi::FitAdapter(const v1::FitAdapterRequest& request,
                                    const RequestContext& context,
                                    v1::FitAdapterResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(const AdapterFitRequest fit, ToAdapterFit(request));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Adapter> adapter,
                   sextant::FitAdapter(collection.get(), fit, context));
  LogChange(environment_, request.collection(), *adapter);
  FromAdapter(*adapter, /*with_layers=*/false, response->mutable_adapter());
  return absl::OkStatus();
}

absl::Status AdapterApi::PutAdapter(const v1::PutAdapterRequest& request,
                                    const RequestContext& /*context*/,
                                    v1::PutAdapterResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(AdapterCatalog* const catalog, collection->adapters());
  absl::StatusOr<Adapter> wanted = ToAdapter(request.adapter());
  if (!wanted.ok()) {
    return PrefixField("adapter.", wanted.status());
  }
  const absl::StatusOr<std::shared_ptr<const Adapter>> made =
      catalog->Put(*std::move(wanted));
  if (!made.ok()) {
    return PrefixField("adapter.", made.status());
  }
  LogChange(environment_, request.collection(), **made);
  FromAdapter(**made, /*with_layers=*/false, response->mutable_adapter());
  return absl::OkStatus();
}

absl::Status AdapterApi::ListAdapters(
    const v1::ListAdaptersRequest& request, const RequestContext& /*context*/,
    v1::ListAdaptersResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(AdapterCatalog* const catalog, collection->adapters());
  for (const std::shared_ptr<const Adapter>& adapter : catalog->List()) {
    FromAdapter(*adapter, request.layers(), response->add_adapters());
  }
  return absl::OkStatus();
}

absl::Status AdapterApi::DeleteAdapter(
    const v1::DeleteAdapterRequest& request, const RequestContext& /*context*/,
    v1::DeleteAdapterResponse* /*response*/) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(AdapterCatalog* const catalog, collection->adapters());
  return catalog->Delete(request.name());
}

}  // namespace sextant
