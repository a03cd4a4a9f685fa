// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"

#include "index/graph_search.h"
#include "index/scan.h"
#include "index/top_k.h"

namespace sextant {

// Offers the best of these rows by the scores of the floats, without reading
// the floats of all: estimates every distance by codes, then scores what may be
// among the best, nearest first. A row of the exact answer is missed with the
// probability that its estimate is farther off than VectorCodes::error(): about
// 0.001. The request's filter is not asked.
//
// `searched` has codes of 4 bits or more. Polls the context; scratch memory is
// per thread.
absl::Status ScanRowsByCodes(const ScanRequest& request,
                             const SearchedGraph& searched,
                             std::span<const uint32_t> rows, TopK& top,
                             SearchWork& work);

}  // namespace sextant
