// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "grpc/health/v1/health.grpc.pb.h"

#include "server/serving_state.h"
#include "server/transport/call_runner.h"
#include "server/transport/drain_set.h"
#include "server/transport/unary_call.h"

namespace sextant {

class HealthWatch;

// grpc.health.v1 of this server: SERVING exactly while the server serves, for
// the server as a whole (empty name) and for each service. gRPC's own
// implementation answers SERVING from the moment the port is open.
//
// Owned by the gRPC server. Thread-safe. Answered by whichever thread takes the
// call from the network, so it does not wait for searches or writes.
class HealthService {
 public:
  using Service = grpc::health::v1::Health::WithRawMethod_Check<
      grpc::health::v1::Health::WithAsyncMethod_Watch<
          grpc::health::v1::Health::Service>>;

  // Both outlive the service.
  HealthService(const ServingState* state, CallRunner* runner);
  ~HealthService();

  // To register with the server.
  Service* service() { return &service_; }
  // Waits for calls; once the server runs.
  void Arm();

  // Tells the watchers what the state is now.
  void Announce();
  // Ends all watches with UNAVAILABLE, after what was announced.
  void EndWatches();

 private:
  friend class HealthWatch;

  grpc::health::v1::HealthCheckResponse::ServingStatus StatusNow() const;

  const ServingState* const state_;
  CallRunner* const runner_;
  Service service_;
  UnaryMethod check_;
  DrainSet<HealthWatch> watches_;
};

}  // namespace sextant
