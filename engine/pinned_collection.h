// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>

#include "base/thread_pool.h"
#include "engine/search_target.h"
#include "engine/snapshot.h"

namespace sextant {

// What works that last for minutes need of a collection, frozen at one write.
// Whoever holds it holds the collection, too.
struct PinnedCollection {
  std::shared_ptr<const Snapshot> snapshot;
  const PointReader* reader = nullptr;
  SearchDefaults defaults;
  const NormalizerCatalog* normalizers = nullptr;
  // Of low priority; null: the calling thread does it all.
  ThreadPool* pool = nullptr;

  SearchTarget target() const {
    return {snapshot->schema.get(), snapshot.get(), reader, defaults,
            normalizers};
  }
};

}  // namespace sextant
