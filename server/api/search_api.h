// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/collection.h"
#include "server/api/api_environment.h"
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
  // `collection` names the collection when the search itself does not.
  absl::Status SearchOne(const Database& database,
                         const std::string& collection,
                         const v1::SearchRequest& request,
                         const RequestContext& context,
                         v1::SearchResponse* response) const;
  void Record(const std::string& collection, const v1::SearchRequest& request,
              const SearchResult& result) const;

  const ApiEnvironment environment_;
};

}  // namespace sextant
