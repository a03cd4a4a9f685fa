// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/status/status.h"

#include "index/frozen_graph.h"
#include "index/scan.h"
#include "index/search_effort.h"
#include "index/top_k.h"
#include "index/vector_codes.h"

namespace sextant {

// A graph and the rows that its nodes stand for; outlives the search.
struct SearchedGraph {
  const FrozenGraph& graph;
  const VectorCodes* codes = nullptr;  // null: the traversal reads floats
  const float* vectors = nullptr;
  const Ordinal* ordinals = nullptr;
  // Hits keep the codes' scores, and `vectors` are not read: if there are codes
  // and the query has some too.
  bool scored_by_codes = false;
  // Greatest norm of a row; only read by searches with slack.
  float longest_row = 1;
  // Searched as if this node were not there. Not one of an upper level, where
  // the search begins.
  uint32_t hidden_node = kNoNode;
};

// Offers the best live rows that a beam of `effort.ef` live nodes finds, or
// `effort.slack` stops before, with the scores of the floats unless
// `scored_by_codes`; by corrected scores
// where the request has a bias, all the way from the entry. Polls the context;
// scratch memory is per thread.
absl::Status SearchGraph(const ScanRequest& request,
                         const SearchedGraph& searched,
                         const SearchEffort& effort, TopK& top,
                         SearchWork& work);

}  // namespace sextant
