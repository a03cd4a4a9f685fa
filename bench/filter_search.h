// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "bench/ann_dataset.h"
#include "index/top_k.h"

namespace sextant {

struct FilterSearchSettings {
  std::string cache_folder;
  double recall_target = 0.95;
};

// Searches all queries of a data set without a filter, then among the ordinals
// that `match` finds anew for each, and prints what both take and find.
absl::Status MeasureFilteredSearch(
    const AnnDataset& dataset, const FilterSearchSettings& settings,
    absl::FunctionRef<std::vector<Ordinal>()> match);

}  // namespace sextant
