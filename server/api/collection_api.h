// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "base/context.h"
#include "server/api/api_environment.h"
#include "sextant/v1/collection_service.pb.h"

namespace sextant {

// sextant.v1.CollectionService without a transport: request in, answer or error
// out. The errors of each call are stated in the proto.
//
// Owned by the daemon. Thread-safe.
class CollectionApi {
 public:
  explicit CollectionApi(const ApiEnvironment& environment)
      : environment_(environment) {}

  absl::Status Create(const v1::CreateCollectionRequest& request,
                      const RequestContext& context,
                      v1::CreateCollectionResponse* response) const;
  absl::Status Get(const v1::GetCollectionRequest& request,
                   const RequestContext& context,
                   v1::GetCollectionResponse* response) const;
  absl::Status List(const v1::ListCollectionsRequest& request,
                    const RequestContext& context,
                    v1::ListCollectionsResponse* response) const;
  absl::Status AddField(const v1::AddPayloadFieldRequest& request,
                        const RequestContext& context,
                        v1::AddPayloadFieldResponse* response) const;
  absl::Status UpdateTextField(const v1::UpdateTextFieldRequest& request,
                               const RequestContext& context,
                               v1::UpdateTextFieldResponse* response) const;
  absl::Status Analyze(const v1::AnalyzeRequest& request,
                       const RequestContext& context,
                       v1::AnalyzeResponse* response) const;
  absl::Status Delete(const v1::DeleteCollectionRequest& request,
                      const RequestContext& context,
                      v1::DeleteCollectionResponse* response) const;

 private:
  const ApiEnvironment environment_;
};

}  // namespace sextant
