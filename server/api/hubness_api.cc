// SPDX-License-Identifier: Apache-2.0
#include "server/api/hubness_api.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/checksum.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/database.h"
#include "engine/diagnose_hubness.h"
#include "engine/mining_job.h"
#include "engine/tune_collection.h"
#include "server/api/find_collection.h"
#include "server/convert/hubness.h"

namespace sextant {
namespace {

// Keeps the collection while what is pinned of it is used.
struct FoundPinned {
  std::shared_ptr<Collection> collection;
  PinnedCollection pinned;
};

absl::StatusOr<FoundPinned> FindPinned(const ApiEnvironment& environment,
                                       const std::string& name,
                                       absl::string_view path) {
  FoundPinned found;
  ASSIGN_OR_RETURN(found.collection, FindCollection(environment, name, path));
  ASSIGN_OR_RETURN(found.pinned, found.collection->Pin());
  return found;
}

// Sends progress as messages. Who is gone shows in the context.
template <typename Response>
class Telling {
 public:
  explicit Telling(SendTo<Response> send) : send_(send) {}
  void operator()(const WorkProgress& at) const {
    Response response;
    FromWorkProgress(at, response.mutable_progress());
    static_cast<void>(send_(response));
  }

 private:
  const SendTo<Response> send_;
};

// A collection of the same name that was made later is another one.
uint64_t HashOfRequest(const v1::MinePairsRequest& request,
                       const MiningQuery& query) {
  v1::MinePairsRequest asked = request;
  asked.clear_resume_token();
  // One message of scalar fields, written by this process's own code: the same
  // bytes each time.
  std::string bytes = asked.SerializeAsString();
  for (const MiningSide* const side : {&query.source, &query.target}) {
    AppendLittleEndian(
        &bytes, static_cast<uint64_t>(side->collection->Info().create_time_us));
  }
  return Checksum64(bytes);
}

// Pairs after those that were delivered. kAborted if those are others now.
absl::Status SendPairs(const MiningJob& job, MiningToken at,
                       const RequestContext& context,
                       SendTo<v1::MinePairsResponse> send) {
  constexpr uint64_t kPairsPerMessage = 1000;
  uint64_t hash = 0;
  for (uint64_t i = 0; i < std::min<uint64_t>(at.delivered, job.size()); ++i) {
    if (i % kPairsPerMessage == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    hash = HashOfPair(job.pair(i), hash);
  }
  if (at.delivered > job.size() || hash != at.hash) {
    return absl::AbortedError(
        "the pairs that were delivered would not be found again; begin the "
        "mining anew");
  }
  do {
    v1::MinePairsResponse response;
    const uint64_t end =
        std::min<uint64_t>(job.size(), at.delivered + kPairsPerMessage);
    for (; at.delivered < end; ++at.delivered) {
      const MinedIds pair = job.pair(at.delivered);
      at.hash = HashOfPair(pair, at.hash);
      FromMinedIds(pair, response.mutable_pairs()->add_pairs());
    }
    response.mutable_pairs()->set_total(job.size());
    response.set_resume_token(at.ToText());
    RETURN_IF_ERROR(send(response));
  } while (at.delivered < job.size());
  return absl::OkStatus();
}

// For the metrics.
void Remember(const HubnessDiagnosis& diagnosis, Collection* collection) {
  collection->RememberHubness({diagnosis.field, "none", diagnosis.raw.hubness});
  if (diagnosis.corrected.has_value()) {
    collection->RememberHubness(
        {diagnosis.field, diagnosis.normalizer, diagnosis.corrected->hubness});
  }
}

}  // namespace

absl::Status HubnessApi::Tune(const v1::TuneNormalizerRequest& request,
                              const RequestContext& context,
                              SendTo<v1::TuneNormalizerResponse> send) const {
  ASSIGN_OR_RETURN(
      const FoundPinned found,
      FindPinned(environment_, request.collection(), "collection"));
  ASSIGN_OR_RETURN(const TuneQuery query, ToTuneQuery(request));
  ASSIGN_OR_RETURN(
      const TuneAnswer answer,
      TuneCollection(found.pinned, query,
                     Telling<v1::TuneNormalizerResponse>(send), context));
  v1::TuneNormalizerResponse response;
  FromTuneAnswer(query, answer, response.mutable_report());
  return send(response);
}

absl::Status HubnessApi::Diagnose(
    const v1::DiagnoseHubnessRequest& request, const RequestContext& context,
    SendTo<v1::DiagnoseHubnessResponse> send) const {
  ASSIGN_OR_RETURN(
      const FoundPinned found,
      FindPinned(environment_, request.collection(), "collection"));
  ASSIGN_OR_RETURN(
      const HubnessDiagnosis diagnosis,
      DiagnoseCollection(found.pinned, ToDiagnoseQuery(request),
                         Telling<v1::DiagnoseHubnessResponse>(send), context));
  Remember(diagnosis, found.collection.get());
  v1::DiagnoseHubnessResponse response;
  FromDiagnosis(diagnosis, response.mutable_report());
  return send(response);
}

absl::StatusOr<MiningJobs::Entry> HubnessApi::OpenMining(
    const v1::MinePairsRequest& request, const RequestContext& context,
    MiningToken* at) {
  ASSIGN_OR_RETURN(Database* const database, environment_.state->database());
  ASSIGN_OR_RETURN(MiningQuery query, ToMiningQuery(request));
  RETURN_IF_ERROR(
      ValidateName(request.source_collection(), "source_collection"));
  ASSIGN_OR_RETURN(query.source.collection,
                   database->Find(request.source_collection()));
  query.target.collection = query.source.collection;
  if (!request.target_collection().empty()) {
    RETURN_IF_ERROR(
        ValidateName(request.target_collection(), "target_collection"));
    ASSIGN_OR_RETURN(query.target.collection,
                     database->Find(request.target_collection()));
  }
  const uint64_t asked = HashOfRequest(request, query);
  if (!request.resume_token().empty()) {
    ASSIGN_OR_RETURN(*at, MiningToken::FromText(request.resume_token()));
    if (at->request != asked) {
      return InvalidField("resume_token", "made for another request");
    }
    ASSIGN_OR_RETURN(const std::unique_ptr<MiningJobs::Entry> kept,
                     mining_jobs_.Resume(at->job));
    if (kept != nullptr) {
      return std::move(*kept);
    }
  }
  MiningJobs::Entry entry;
  ASSIGN_OR_RETURN(entry.job, MiningJob::Make(query, context));
  if (!request.resume_token().empty() &&
      (entry.job->source_seq() != at->source_seq ||
       entry.job->target_seq() != at->target_seq)) {
    return absl::AbortedError(
        "a collection was written to since; begin the mining anew");
  }
  entry.number = mining_jobs_.Begin();
  at->job = entry.number;
  at->request = asked;
  at->source_seq = entry.job->source_seq();
  at->target_seq = entry.job->target_seq();
  return entry;
}

absl::Status HubnessApi::Mine(const v1::MinePairsRequest& request,
                              const RequestContext& context,
                              SendTo<v1::MinePairsResponse> send) {
  MiningToken at;
  ASSIGN_OR_RETURN(MiningJobs::Entry entry, OpenMining(request, context, &at));
  const auto progress = [&](const WorkProgress& where) {
    v1::MinePairsResponse response;
    FromWorkProgress(where, response.mutable_progress());
    response.set_resume_token(at.ToText());
    static_cast<void>(send(response));
  };
  absl::Status status = entry.job->Run(progress, context);
  if (status.ok()) {
    status = SendPairs(*entry.job, at, context, send);
  }
  // Also when all is sent: what was sent may not arrive.
  mining_jobs_.Keep(std::move(entry));
  return status;
}

}  // namespace sextant
