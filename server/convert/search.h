// SPDX-License-Identifier: Apache-2.0
//
// Searches between the wire and the engine. All limits on the shape of a
// request are checked here; error paths are relative to the SearchRequest.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "engine/search_query.h"
#include "engine/search_result.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {

// How an answer is written.
struct AnswerForm {
  bool raw_vectors = false;
  bool explain = false;
  bool packed = false;
};

struct SearchCall {
  SearchQuery query;
  AnswerForm form;
};

absl::StatusOr<SearchCall> ToSearchCall(const v1::SearchRequest& message);

// 1 to kSearchesPerBatchMax searches, kHitsPerBatchMax hits in sum.
absl::Status CheckBatch(const v1::SearchBatchRequest& message);

void FromSearchResult(SearchResult result, AnswerForm form,
                      v1::SearchResponse* message);

}  // namespace sextant
