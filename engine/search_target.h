// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "engine/adapter_catalog.h"
#include "engine/normalizer_catalog.h"
#include "engine/plan.h"
#include "engine/point_reader.h"
#include "engine/schema.h"
#include "engine/snapshot.h"

namespace sextant {

// What a search runs on. Pointers outlive the call.
struct SearchTarget {
  const Schema* schema = nullptr;
  const Snapshot* snapshot = nullptr;
  const PointReader* reader = nullptr;
  SearchDefaults defaults;
  const NormalizerCatalog* normalizers = nullptr;
  const AdapterCatalog* adapters = nullptr;
};

}  // namespace sextant
