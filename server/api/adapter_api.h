// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "base/context.h"
#include "server/api/api_environment.h"
#include "server/api/send_to.h"
#include "sextant/v1/adapter_service.pb.h"

namespace sextant {

// sextant.v1.AdapterService without a transport, as CollectionApi. Errors are
// stated in the proto. Thread-safe.
class AdapterApi {
 public:
  explicit AdapterApi(const ApiEnvironment& environment)
      : environment_(environment) {}

  absl::Status FitAdapter(const v1::FitAdapterRequest& request,
                          const RequestContext& context,
                          SendTo<v1::FitAdapterResponse> send) const;
  absl::Status PutAdapter(const v1::PutAdapterRequest& request,
                          const RequestContext& context,
                          v1::PutAdapterResponse* response) const;
  absl::Status ListAdapters(const v1::ListAdaptersRequest& request,
                            const RequestContext& context,
                            v1::ListAdaptersResponse* response) const;
  absl::Status DeleteAdapter(const v1::DeleteAdapterRequest& request,
                             const RequestContext& context,
                             v1::DeleteAdapterResponse* response) const;

 private:
  const ApiEnvironment environment_;
};

}  // namespace sextant
