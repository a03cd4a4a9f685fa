// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "base/context.h"
#include "server/api/api_environment.h"
#include "sextant/v1/query_sample_service.pb.h"

namespace sextant {

// sextant.v1.QuerySampleService without a transport, as CollectionApi. Errors
// are stated in the proto. Thread-safe.
class QuerySampleApi {
 public:
  explicit QuerySampleApi(const ApiEnvironment& environment)
      : environment_(environment) {}

  absl::Status Set(const v1::SetQuerySampleRequest& request,
                   const RequestContext& context,
                   v1::SetQuerySampleResponse* response) const;
  absl::Status List(const v1::ListQuerySamplesRequest& request,
                    const RequestContext& context,
                    v1::ListQuerySamplesResponse* response) const;
  absl::Status Clear(const v1::ClearQuerySampleRequest& request,
                     const RequestContext& context,
                     v1::ClearQuerySampleResponse* response) const;
  absl::Status PutBank(const v1::PutBankOfQueriesRequest& request,
                       const RequestContext& context,
                       v1::PutBankOfQueriesResponse* response) const;

 private:
  const ApiEnvironment environment_;
};

}  // namespace sextant
