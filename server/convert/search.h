// SPDX-License-Identifier: Apache-2.0
//
// Searches between the wire and the engine. All limits on the shape of a
// request are checked here; error paths are relative to the SearchRequest.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "engine/search_query.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {

struct SearchCall {
  SearchQuery query;
  bool raw_vectors = false;
};

absl::StatusOr<SearchCall> ToSearchCall(const v1::SearchRequest& message);

// 1 to kSearchesPerBatchMax searches, kHitsPerBatchMax hits in sum.
absl::Status CheckBatch(const v1::SearchBatchRequest& message);

void FromSearchResult(SearchResult result, const SearchCall& call,
                      v1::SearchResponse* message);

}  // namespace sextant
