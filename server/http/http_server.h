// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "server/config/config.h"
#include "server/serving_state.h"
#include "server/telemetry/request_metrics.h"

namespace sextant {

// The HTTP side of the server, for operators and their tools:
//   /metrics  Prometheus text format
//   /livez    200 as long as the process answers
//   /healthz  200, with the state in words
//   /readyz   200 while serving, else 503 with the reason
// It runs on a few threads of its own, so that it answers under full load.
//
// Owned by the daemon. Thread-safe.
class HttpServer {
 public:
  // `state` and `metrics` outlive the server. kUnavailable names the key and
  // the address that cannot be listened on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const Config::Http& config, const ServingState* state,
      RequestMetrics* metrics);
  // Ends running requests and joins the threads.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "127.0.0.1:6351"
  const std::string& listen_address() const;

 private:
  struct Rep;
  explicit HttpServer(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
