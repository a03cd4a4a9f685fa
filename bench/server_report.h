// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"

#include "bench/ann_dataset.h"
#include "bench/server_disk.h"
#include "bench/server_search.h"

namespace sextant {

// What was measured; a part that was not asked for is empty.
struct ServerReport {
  std::optional<SearchFigures> search;
  std::optional<IngestResult> ingest;
  std::optional<RestartResult> restart;
};

// One JSON object. Keys are documented in docs/how-to/benchmark.md.
std::string ServerJson(const AnnDataset& dataset,
                       const SearchSettings& settings,
                       const ServerReport& report);

std::string ServerTable(const AnnDataset& dataset,
                        const SearchSettings& settings,
                        const ServerReport& report);

// latency-NAME.svg in `folder`: percentiles over the offered load.
absl::Status WriteServerPlots(const AnnDataset& dataset,
                              const SearchFigures& figures,
                              const std::string& folder);

}  // namespace sextant
