// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "server/api/api_environment.h"
#include "server/api/mining_jobs.h"
#include "server/api/send_to.h"
#include "server/convert/mining_token.h"
#include "sextant/v1/hubness_service.pb.h"

namespace sextant {

// sextant.v1.HubnessService without a transport, as CollectionApi. Errors are
// stated in the proto. Thread-safe.
class HubnessApi {
 public:
  explicit HubnessApi(const ApiEnvironment& environment)
      : environment_(environment) {}

  absl::Status Tune(const v1::TuneNormalizerRequest& request,
                    const RequestContext& context,
                    SendTo<v1::TuneNormalizerResponse> send) const;
  absl::Status Diagnose(const v1::DiagnoseHubnessRequest& request,
                        const RequestContext& context,
                        SendTo<v1::DiagnoseHubnessResponse> send) const;
  absl::Status Mine(const v1::MinePairsRequest& request,
                    const RequestContext& context,
                    SendTo<v1::MinePairsResponse> send);

  // No collection is held from then on. After the last call.
  void Close() { mining_jobs_.Close(); }

 private:
  absl::StatusOr<MiningJobs::Entry> OpenMining(
      const v1::MinePairsRequest& request, const RequestContext& context,
      MiningToken* at);

  const ApiEnvironment environment_;
  MiningJobs mining_jobs_;
};

}  // namespace sextant
