// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "bench/ann_dataset.h"
#include "bench/ann_measure.h"

namespace sextant {

// One JSON object: dataset, settings, machine, one object for each contestant
// and the ratios. Keys are documented in docs/how-to/benchmark.md.
std::string AnnJson(const AnnDataset& dataset, const AnnSettings& settings,
                    const std::vector<AnnResult>& results);

std::string AnnTable(const AnnDataset& dataset,
                     const std::vector<AnnResult>& results);

// recall-NAME.svg in `folder`: queries a second over recall, one line for each
// contestant.
absl::Status WriteAnnPlot(const AnnDataset& dataset,
                          const std::vector<AnnResult>& results,
                          const std::string& folder);

}  // namespace sextant
