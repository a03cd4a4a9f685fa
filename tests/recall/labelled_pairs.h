// SPDX-License-Identifier: Apache-2.0
//
// Queries of the shared data with what people, or translations, say of points.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "ranking/relevance/adapter_training.h"
#include "ranking/relevance/operating_point.h"
#include "tests/recall/exact_search.h"

namespace sextant {

// Each query with all points that are relevant to it and its nearest others,
// which count as not relevant.
struct LabelledQueries {
  std::string name;
  Matrix queries;
  std::vector<LabelledPair> pairs;  // by query

  // These queries in this order, renumbered.
  LabelledQueries Chosen(const std::vector<uint32_t>& rows) const;
  // Those whose number is `part` modulo `parts`, and the others.
  LabelledQueries Part(uint32_t part, uint32_t parts) const;
  LabelledQueries Without(uint32_t part, uint32_t parts) const;
  // All in a random order.
  LabelledQueries Shuffled(uint64_t seed) const;
  TrainingSet training_set() const;
  // Of all pairs: cosines, or what an adapter makes of them.
  std::vector<LabelledScore> Cosines() const;
  std::vector<LabelledScore> Logits(AdapterFamily family, const Mlp& mlp) const;
};

// `relevant`: pairs of a query and a point, by query. `nearest`: how many of
// the nearest points of each query are looked at.
LabelledQueries Label(
    std::string name, const Matrix& queries, const Matrix& points,
    const std::vector<std::pair<uint32_t, uint32_t>>& relevant, size_t nearest);

// "cranfield", "bitext-de", "bitext-ru", "flickr8k" of the shared data.
absl::StatusOr<LabelledQueries> ReadLabelledQueries(const std::string& folder,
                                                    const std::string& name);

}  // namespace sextant
