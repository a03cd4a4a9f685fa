// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "absl/status/status.h"

#include "index/graph_search.h"
#include "index/scan.h"
#include "index/top_k.h"

namespace sextant {

// Offers the best live rows of all, with the scores of the floats, without
// reading all floats: estimates every distance by 1-bit codes and scores only
// rows that may be among the best even if their estimate is too far by
// VectorCodes::Errors() (RaBitQ, arXiv 2405.12497, section 4). So a row of the
// exact answer is missed with probability 0.0013.
//
// `searched.codes` are not null and have 1 bit. Polls the context; scratch
// memory is per thread, eight bytes a node.
absl::Status ScanCodes(const ScanRequest& request,
                       const SearchedGraph& searched, TopK& top,
                       SearchWork& work);

}  // namespace sextant
