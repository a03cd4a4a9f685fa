// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
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

// Calls fn(0) ... fn(steps - 1), on the pool's threads or, if it is null, one
// after the other on this one.
void ForEachStep(ThreadPool* pool, size_t steps,
                 absl::FunctionRef<void(size_t)> fn);

// Calls fn(node) for every node of [begin, end), in ascending order if there is
// one thread, else nearly so. Returns the first error of fn or of the context,
// which is polled; counts finished nodes as progress.
absl::Status ForEachNode(const BuildRun& run, uint32_t begin, uint32_t end,
                         absl::FunctionRef<absl::Status(uint32_t)> fn);

}  // namespace sextant
