// SPDX-License-Identifier: Apache-2.0
#include "server/api/search_api.h"

#include <atomic>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "engine/errors.h"
#include "engine/schema.h"
#include "server/convert/search.h"

namespace sextant {
namespace {

// "searches[3]: ..." in front of whatever went wrong.
absl::Status InBatch(size_t index, const absl::Status& status) {
  if (!InvalidFieldPath(status).empty()) {
    return PrefixField(absl::StrCat("searches[", index, "]."), status);
  }
  return WithContext(status, absl::StrCat("searches[", index, "]"));
}

absl::Status CheckSize(size_t bytes, size_t bytes_max) {
  if (bytes <= bytes_max) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      "the answer would be ", bytes, " bytes, more than ", bytes_max,
      " (grpc.max_message_mb); ask for fewer hits, or for less of each"));
}

}  // namespace

absl::Status SearchApi::Search(const v1::SearchRequest& request,
                               const RequestContext& context,
                               v1::SearchResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  RETURN_IF_ERROR(SearchOne(*database, "", request, context, response));
  return CheckSize(response->ByteSizeLong(), environment_.response_bytes_max);
}

absl::Status SearchApi::SearchBatch(const v1::SearchBatchRequest& request,
                                    const RequestContext& context,
                                    v1::SearchBatchResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  RETURN_IF_ERROR(CheckBatch(request));
  const auto count = static_cast<size_t>(request.searches_size());
  response->mutable_responses()->Reserve(request.searches_size());
  for (size_t i = 0; i < count; ++i) {
    response->add_responses();
  }
  std::vector<absl::Status> outcomes(count);
  // Searches behind a failed one are not worth starting; those before it are,
  // since the first that is wrong is the one to name.
  std::atomic<size_t> first_failed{count};
  // Of all answers so far, so that together they do not fill the memory.
  std::atomic<size_t> bytes{0};
  const auto search = [&](size_t i) {
    if (i > first_failed.load(std::memory_order_relaxed)) {
      return;
    }
    const auto position = static_cast<int>(i);
    outcomes[i] =
        SearchOne(*database, request.collection(), request.searches(position),
                  context, response->mutable_responses(position));
    if (outcomes[i].ok()) {
      const size_t size = response->responses(position).ByteSizeLong();
      outcomes[i] = CheckSize(bytes += size, environment_.response_bytes_max);
    }
    if (!outcomes[i].ok()) {
      size_t seen = first_failed.load(std::memory_order_relaxed);
      while (i < seen && !first_failed.compare_exchange_weak(seen, i)) {
      }
    }
  };
  if (environment_.search_pool != nullptr) {
    environment_.search_pool->ParallelFor(
        count, environment_.search_pool->threads(), search);
  } else {
    for (size_t i = 0; i < count; ++i) {
      search(i);
    }
  }
  if (const size_t failed = first_failed.load(); failed < count) {
    return InBatch(failed, outcomes[failed]);
  }
  return CheckSize(response->ByteSizeLong(), environment_.response_bytes_max);
}

absl::Status SearchApi::SearchOne(const Database& database,
                                  const std::string& collection,
                                  const v1::SearchRequest& request,
                                  const RequestContext& context,
                                  v1::SearchResponse* response) const {
  const std::string& name =
      request.collection().empty() ? collection : request.collection();
  RETURN_IF_ERROR(ValidateName(name, "collection"));
  ASSIGN_OR_RETURN(SearchCall call, ToSearchCall(request));
  call.query.fetch_bytes_max = environment_.response_bytes_max;
  if (environment_.slow_query_ms != 0) {
    call.query.plan_after_seconds =
        static_cast<double>(environment_.slow_query_ms) / 1000;
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> found,
                   database.Find(name));
  ASSIGN_OR_RETURN(SearchResult result, found->Search(call.query, context));
  Record(name, request, result);
  FromSearchResult(std::move(result), call, response);
  return absl::OkStatus();
}

void SearchApi::Record(const std::string& collection,
                       const v1::SearchRequest& request,
                       const SearchResult& result) const {
  const double limit_seconds =
      static_cast<double>(environment_.slow_query_ms) / 1000;
  const bool slow =
      environment_.slow_query_ms != 0 && result.seconds > limit_seconds;
  environment_.metrics->Searched(result.seconds, slow);
  if (!slow) {
    return;
  }
  std::string stages;
  for (const StageTiming& stage : result.stages) {
    absl::StrAppend(&stages, stages.empty() ? "" : ", ", stage.name, " ",
                    stage.seconds * 1000, " ms");
  }
  environment_.log->Warning("slow search",
                            {{"collection", absl::string_view(collection)},
                             {"seconds", result.seconds},
                             {"limit", uint64_t{request.limit()}},
                             {"offset", uint64_t{request.offset()}},
                             {"hits", uint64_t{result.hits.size()}},
                             {"plan", absl::string_view(result.plan)},
                             {"stages", absl::string_view(stages)}});
}

}  // namespace sextant
