// SPDX-License-Identifier: Apache-2.0
#include "server/api/search_api.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/collection.h"
#include "engine/schema.h"
#include "server/api/search_batch.h"
#include "server/convert/search.h"

namespace sextant {
namespace {

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
  RETURN_IF_ERROR(ValidateName(request.collection(), "collection"));
  ASSIGN_OR_RETURN(const SearchCall call, ToCall(request));
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   database->Find(request.collection()));
  ASSIGN_OR_RETURN(SearchResult result,
                   collection->Search(call.query, context));
  Record(request.collection(), call.query, result);
  FromSearchResult(std::move(result), call.form, response);
  return CheckSize(response->ByteSizeLong(), environment_.response_bytes_max);
}

absl::Status SearchApi::SearchBatch(const v1::SearchBatchRequest& request,
                                    const RequestContext& context,
                                    v1::SearchBatchResponse* response) const {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  RETURN_IF_ERROR(CheckBatch(request));
  response->mutable_responses()->Reserve(request.searches_size());
  for (int i = 0; i < request.searches_size(); ++i) {
    response->add_responses();
  }
  BatchOutcome outcome(static_cast<size_t>(request.searches_size()));
  const std::vector<BatchGroup> groups =
      GroupSearches(*database, request, &outcome);
  const auto search_group = [&](size_t i) {
    SearchGroup({&request, &groups[i], &outcome, response}, context);
  };
  if (environment_.parallel_for && groups.size() > 1) {
    // Some milliseconds in most cases.
    context.AboutToWait();
    environment_.parallel_for(groups.size(), search_group);
  } else {
    for (size_t i = 0; i < groups.size(); ++i) {
      search_group(i);
    }
  }
  RETURN_IF_ERROR(outcome.status());
  return CheckSize(response->ByteSizeLong(), environment_.response_bytes_max);
}

void SearchApi::SearchGroup(const GroupTask& task,
                            const RequestContext& context) const {
  const BatchGroup& group = *task.group;
  std::vector<SearchQuery> queries;
  std::vector<AnswerForm> forms;
  queries.reserve(group.count);
  forms.reserve(group.count);
  for (size_t i = group.first; i < group.first + group.count; ++i) {
    if (task.outcome->IsPointless(i)) {
      break;
    }
    auto call = ToCall(task.request->searches(static_cast<int>(i)));
    if (!call.ok()) {
      task.outcome->Fail(i, call.status());
      break;
    }
    queries.push_back(std::move(call->query));
    forms.push_back(call->form);
  }
  auto results = group.collection->SearchBatch(queries, context);
  for (size_t i = 0; i < results.size(); ++i) {
    const size_t position = group.first + i;
    absl::Status status = results[i].status();
    if (status.ok()) {
      Record(*group.name, queries[i], *results[i]);
      auto* const answer =
          task.response->mutable_responses(static_cast<int>(position));
      FromSearchResult(*std::move(results[i]), forms[i], answer);
      // Together the answers must not fill the memory.
      status = CheckSize(task.outcome->AddBytes(answer->ByteSizeLong()),
                         environment_.response_bytes_max);
    }
    if (!status.ok()) {
      task.outcome->Fail(position, std::move(status));
      break;
    }
  }
}

absl::StatusOr<SearchCall> SearchApi::ToCall(
    const v1::SearchRequest& request) const {
  ASSIGN_OR_RETURN(SearchCall call, ToSearchCall(request));
  call.query.fetch_bytes_max = environment_.response_bytes_max;
  if (environment_.slow_query_ms != 0) {
    call.query.plan_after_seconds =
        static_cast<double>(environment_.slow_query_ms) / 1000;
  }
  return call;
}

void SearchApi::Record(const std::string& collection, const SearchQuery& query,
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
                             {"limit", uint64_t{query.limit}},
                             {"offset", uint64_t{query.offset}},
                             {"hits", uint64_t{result.hits.size()}},
                             {"plan", absl::string_view(result.plan)},
                             {"stages", absl::string_view(stages)}});
}

}  // namespace sextant
