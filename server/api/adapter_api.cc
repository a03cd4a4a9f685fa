// SPDX-License-Identifier: Apache-2.0
#include "server/api/adapter_api.h"

#include <chrono>
#include <memory>
#include <optional>
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

constexpr std::chrono::milliseconds kTellEvery{200};

// Sends progress a few times a second, and where a stage or a family begins.
// Who is gone shows in the context.
class FitTeller {
 public:
  explicit FitTeller(SendTo<v1::FitAdapterResponse> send) : send_(send) {}

  void Tell(const AdapterFitProgress& at) {
    const auto now = std::chrono::steady_clock::now();
    if (has_told_ && family_ == at.family && now - last_ < kTellEvery) {
      return;
    }
    has_told_ = true;
    family_ = at.family;
    last_ = now;
    v1::FitAdapterResponse response;
    FromFitProgress(at, response.mutable_progress());
    static_cast<void>(send_(response));
  }

 private:
  const SendTo<v1::FitAdapterResponse> send_;
  bool has_told_ = false;
  std::optional<AdapterFamily> family_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace

absl::Status AdapterApi::FitAdapter(const v1::FitAdapterRequest& request,
                                    const RequestContext& context,
                                    SendTo<v1::FitAdapterResponse> send) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(const AdapterFitRequest fit, ToAdapterFit(request));
  FitTeller teller(send);
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const Adapter> adapter,
      sextant::FitAdapter(
          collection.get(), fit,
          [&teller](const AdapterFitProgress& at) { teller.Tell(at); },
          context));
  LogChange(environment_, request.collection(), *adapter);
  v1::FitAdapterResponse response;
  FromAdapter(*adapter, /*with_layers=*/false, response.mutable_adapter());
  return send(response);
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
