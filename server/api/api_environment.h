// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/functional/function_ref.h"

#include "server/serving_state.h"
#include "server/telemetry/log.h"
#include "server/telemetry/request_metrics.h"

namespace sextant {

// What the API classes share. Nothing is owned; all of it outlives them.
struct ApiEnvironment {
  ServingState* state = nullptr;
  RequestMetrics* metrics = nullptr;
  Log* log = nullptr;
  // Runs fn(0) ... fn(n - 1), each once, with the help of search threads that
  // have nothing to do. Empty: the calling thread does it all.
  std::function<void(size_t n, absl::FunctionRef<void(size_t)> fn)>
      parallel_for;
  // Searches that take longer are logged; 0 = none.
  uint64_t slow_query_ms = 0;
  // An answer that would be larger is refused.
  size_t response_bytes_max = 64ULL << 20U;
};

}  // namespace sextant
