// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "base/context.h"
#include "base/thread_pool.h"
#include "index/vector_index_builder.h"

namespace sextant {

// How the steps of a build run.
struct BuildRun {
  ThreadPool* pool = nullptr;  // null: on the calling thread
  const RequestContext& context;
  BuildProgress* progress = nullptr;  // may be null
};

// Calls fn(node) for every node of [begin, end), in ascending order if there is
// one thread, else nearly so. Returns the first error of fn or of the context,
// which is polled; counts finished nodes as progress.
absl::Status ForEachNode(const BuildRun& run, uint32_t begin, uint32_t end,
                         absl::FunctionRef<absl::Status(uint32_t)> fn);

}  // namespace sextant
