// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "base/context.h"
#include "server/api/api_environment.h"
#include "sextant/v1/normalizer_service.pb.h"

namespace sextant {

// sextant.v1.NormalizerService without a transport, as CollectionApi. Errors
// are stated in the proto. Thread-safe.
class NormalizerApi {
 public:
  explicit NormalizerApi(const ApiEnvironment& environment)
      : environment_(environment) {}

  absl::Status PutBank(const v1::PutBankRequest& request,
                       const RequestContext& context,
                       v1::PutBankResponse* response) const;
  absl::Status SampleBank(const v1::SampleBankRequest& request,
                          const RequestContext& context,
                          v1::SampleBankResponse* response) const;
  absl::Status ListBanks(const v1::ListBanksRequest& request,
                         const RequestContext& context,
                         v1::ListBanksResponse* response) const;
  absl::Status DeleteBank(const v1::DeleteBankRequest& request,
                          const RequestContext& context,
                          v1::DeleteBankResponse* response) const;
  absl::Status PutNormalizer(const v1::PutNormalizerRequest& request,
                             const RequestContext& context,
                             v1::PutNormalizerResponse* response) const;
  absl::Status ListNormalizers(const v1::ListNormalizersRequest& request,
                               const RequestContext& context,
                               v1::ListNormalizersResponse* response) const;
  absl::Status DeleteNormalizer(const v1::DeleteNormalizerRequest& request,
                                const RequestContext& context,
                                v1::DeleteNormalizerResponse* response) const;

 private:
  const ApiEnvironment environment_;
};

}  // namespace sextant
