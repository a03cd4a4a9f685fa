// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "server/api/api_environment.h"
#include "server/api/search_batch.h"
#include "server/convert/search.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {

// sextant.v1.SearchService without a transport. The errors of each call are
// stated in the proto.
//
// Owned by the daemon. Thread-safe.
class SearchApi {
 public:
  explicit SearchApi(const ApiEnvironment& environment)
      : environment_(environment) {}

  absl::Status Search(const v1::SearchRequest& request,
                      const RequestContext& context,
                      v1::SearchResponse* response) const;
  absl::Status SearchBatch(const v1::SearchBatchRequest& request,
                           const RequestContext& context,
                           v1::SearchBatchResponse* response) const;

 private:
  // One group of a batch, and where its outcome goes.
  struct GroupTask {
    const v1::SearchBatchRequest* request = nullptr;
    const BatchGroup* group = nullptr;
    BatchOutcome* outcome = nullptr;
    v1::SearchBatchResponse* response = nullptr;
  };

  void SearchGroup(const GroupTask& task, const RequestContext& context) const;
  // The request as the engine takes it, with the server's limits.
  absl::StatusOr<SearchCall> ToCall(const v1::SearchRequest& request) const;
  void Record(const std::string& collection, const SearchQuery& query,
              const SearchResult& result) const;

  const ApiEnvironment environment_;
};

}  // namespace sextant
