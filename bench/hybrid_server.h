// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sextant {

// Seconds a search through gRPC, one at a time.
struct HybridSeconds {
  double text = 0;
  double dense = 0;
  double fused = 0;

  double ratio() const { return fused / (text + dense); }
};

// Starts a server over the closed database in `data_dir` and asks collection
// "docs" each query by its words, by its vector, and by both. The fused search
// takes `candidates` of each and returns `limit`; the others return
// `part_limit`. The best of some rounds, in which the three take turns.
absl::StatusOr<HybridSeconds> MeasureHybridServer(
    const std::string& data_dir, std::span<const std::string> queries,
    std::span<const std::vector<float>> vectors, uint32_t candidates,
    uint32_t limit, uint32_t part_limit);

}  // namespace sextant
