// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/status/status.h"

#include "index/frozen_graph.h"
#include "index/scan.h"
#include "index/top_k.h"

namespace sextant {

// A graph and the rows that its nodes stand for; outlives the search.
struct SearchedGraph {
  const FrozenGraph& graph;
  const float* vectors = nullptr;
  const Ordinal* ordinals = nullptr;
};

// Offers the best live rows that a beam of `ef` live nodes finds. Polls the
// context; scratch memory is per thread.
absl::Status SearchGraph(const ScanRequest& request,
                         const SearchedGraph& searched, uint32_t ef, TopK& top,
                         SearchWork& work);

}  // namespace sextant
