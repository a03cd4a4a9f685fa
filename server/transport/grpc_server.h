// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "server/api/api_environment.h"
#include "server/config/config.h"

namespace sextant {

// The gRPC side of the server: listeners, services, health, thread pools.
//
// Owned by the daemon. Starts in whatever phase `environment.state` is and
// follows its changes. Thread-safe.
class GrpcServer {
 public:
  // What `environment` names outlives the server; its parallel_for is ignored
  // (the server has its own). kUnavailable names the key and the address that
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      const Config& config, const ApiEnvironment& environment);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // "127.0.0.1:6350"; empty without a TCP listener.
  const std::string& listen_address() const;

  // Refuses new calls, waits for running ones, cancels what still runs after
  // `drain`. Returns true when nothing had to be cancelled.
  bool Stop(absl::Duration drain);

 private:
  struct Rep;
  explicit GrpcServer(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
