// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/thread_pool.h"
#include "server/serving_state.h"
#include "server/telemetry/log.h"
#include "server/telemetry/request_metrics.h"

namespace sextant {

// What the API classes share. Nothing is owned; all of it outlives them.
struct ApiEnvironment {
  ServingState* state = nullptr;
  RequestMetrics* metrics = nullptr;
  Log* log = nullptr;
  // Threads that may help with a batch; null: the calling thread alone.
  ThreadPool* search_pool = nullptr;
  // Searches that take longer are logged; 0 = none.
  uint64_t slow_query_ms = 0;
  // An answer that would be larger is refused.
  size_t response_bytes_max = 64ULL << 20U;
};

}  // namespace sextant
