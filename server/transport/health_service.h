// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"

#include "server/serving_state.h"
#include "server/transport/drain_set.h"

namespace sextant {

class HealthWatch;

// grpc.health.v1 of this server: SERVING exactly while the server serves, for
// the server as a whole (empty name) and for each service. gRPC's own
// implementation answers SERVING from the moment the port is open.
//
// Owned by the gRPC server. Thread-safe. Takes no threads, so it answers under
// full load.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // `state` outlives the service.
  explicit HealthService(const ServingState* state);
  ~HealthService() override;

  // Tells the watchers what the state is now.
  void Announce();
  // Ends all watches with UNAVAILABLE, after what was announced.
  void EndWatches();

  grpc::ServerUnaryReactor* Check(
      grpc::CallbackServerContext* call,
      const grpc::health::v1::HealthCheckRequest* request,
      grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* call,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  grpc::health::v1::HealthCheckResponse::ServingStatus StatusNow() const;

  const ServingState* const state_;
  DrainSet<HealthWatch> watches_;
};

}  // namespace sextant
