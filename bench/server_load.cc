// SPDX-License-Identifier: Apache-2.0
#include "bench/server_load.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/async_unary_call.h"

#include "bench/processor.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {
namespace {

using Stub = v1::SearchService::Stub;

// An open loop that the server cannot follow piles up calls; more than this
// wait in the client (their latency runs on).
constexpr size_t kOpenCallsMax = 2048;
constexpr int kAnswerBytesMax = 64 << 20;

void FillSearch(const ServerLoad& load, const AnnDataset& dataset,
                uint32_t query, v1::SearchRequest* request) {
  request->set_limit(load.k);
  request->set_packed_hits(true);
  request->set_recall_target(load.recall_target);
  v1::DenseSource* const dense = request->add_sources()->mutable_dense();
  dense->mutable_vector()->set_raw(dataset.query(query),
                                   dataset.dimension * sizeof(float));
}

// The two methods, for Loop below.
struct UnaryMethod {
  using Request = v1::SearchRequest;
  using Response = v1::SearchResponse;

  static std::vector<Request> Requests(const ServerLoad& load,
                                       const AnnDataset& dataset) {
    std::vector<Request> requests(dataset.queries);
    for (uint32_t query = 0; query < dataset.queries; ++query) {
      requests[query].set_collection(load.collection);
      FillSearch(load, dataset, query, &requests[query]);
    }
    return requests;
  }
  static auto Prepare(Stub& stub, grpc::ClientContext* context,
                      const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncSearch(context, request, queue);
  }
  static const v1::SearchResponse* Answer(const Response& response, int i) {
    return i == 0 ? &response : nullptr;
  }
};

struct BatchMethod {
  using Request = v1::SearchBatchRequest;
  using Response = v1::SearchBatchResponse;

  static std::vector<Request> Requests(const ServerLoad& load,
                                       const AnnDataset& dataset) {
    std::vector<Request> requests((dataset.queries + load.batch - 1) /
                                  load.batch);
    uint32_t query = 0;
    for (Request& request : requests) {
      request.set_collection(load.collection);
      for (uint32_t i = 0; i < load.batch; ++i) {
        FillSearch(load, dataset, query++ % dataset.queries,
                   request.add_searches());
      }
    }
    return requests;
  }
  static auto Prepare(Stub& stub, grpc::ClientContext* context,
                      const Request& request, grpc::CompletionQueue* queue) {
    return stub.PrepareAsyncSearchBatch(context, request, queue);
  }
  static const v1::SearchResponse* Answer(const Response& response, int i) {
    return i < response.responses_size() ? &response.responses(i) : nullptr;
  }
};

template <typename Method>
class Loop {
 public:
  Loop(const ServerLoad& load, const AnnDataset& dataset)
      : load_(load),
        dataset_(dataset),
        requests_(Method::Requests(load, dataset)),
        random_(load.seed),
        answers_(dataset.queries) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
    for (int i = 0; i < load.connections; ++i) {
      stubs_.push_back(v1::SearchService::NewStub(grpc::CreateCustomChannel(
          load.target, grpc::InsecureChannelCredentials(), arguments)));
    }
    calls_.resize(load.calls_per_s > 0 ? kOpenCallsMax
                                       : static_cast<size_t>(load.outstanding));
    for (Call& call : calls_) {
      free_.push_back(&call);
    }
    result_.request_bytes = requests_[0].ByteSizeLong();
  }

  LoadResult Run() {
    start_ = WallSeconds() + load_.warm_up_s;
    end_ = start_ + load_.seconds;
    double next = WallSeconds();
    double server_cpu = 0;
    double client_cpu = 0;
    bool is_warm = false;
    while (true) {
      const double now = WallSeconds();
      if (now >= end_) {
        break;
      }
      if (!is_warm && now >= start_) {
        is_warm = true;
        start_ = now;
        server_cpu = ProcessCpuSeconds(load_.server);
        client_cpu = ProcessCpuSeconds();
      }
      while (!free_.empty() && (load_.calls_per_s == 0 || next <= now)) {
        Send(load_.calls_per_s == 0 ? now : next);
        next += load_.calls_per_s == 0 ? 0 : Gap();
      }
      Receive(load_.calls_per_s == 0 ? end_ - now : 0);
    }
    result_.server_cpu_s = ProcessCpuSeconds(load_.server) - server_cpu;
    result_.client_cpu_s = ProcessCpuSeconds() - client_cpu;
    result_.wall_s = WallSeconds() - start_;
    Drain();
    std::sort(result_.latencies_ms.begin(), result_.latencies_ms.end());
    Judge();
    return std::move(result_);
  }

 private:
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<typename Method::Response>>
        reader;
    typename Method::Response response;
    grpc::Status status;
    double due = 0;
    size_t request = 0;
  };

  double Gap() {
    return std::exponential_distribution<double>(load_.calls_per_s)(random_);
  }

  void Send(double due) {
    Call& call = *free_.back();
    free_.pop_back();
    call.context = std::make_unique<grpc::ClientContext>();
    call.context->set_deadline(std::chrono::system_clock::now() +
                               std::chrono::seconds(30));
    call.response.Clear();
    call.due = due;
    call.request = sent_ % requests_.size();
    Stub& stub = *stubs_[sent_++ % stubs_.size()];
    call.reader = Method::Prepare(stub, call.context.get(),
                                  requests_[call.request], &queue_);
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, &call);
  }

  // Takes the answers that are there; waits up to `wait_s` for the first.
  void Receive(double wait_s) {
    void* tag = nullptr;
    bool ok = false;
    gpr_timespec until = gpr_time_0(GPR_CLOCK_MONOTONIC);
    if (wait_s > 0) {
      until =
          gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                       gpr_time_from_micros(static_cast<int64_t>(wait_s * 1e6),
                                            GPR_TIMESPAN));
    }
    if (queue_.AsyncNext(&tag, &ok, until) ==
        grpc::CompletionQueue::GOT_EVENT) {
      Take(static_cast<Call*>(tag));
    }
  }

  void Take(Call* call) {
    const double now = WallSeconds();
    free_.push_back(call);
    // An open loop counts what was due in the window, a closed one what was
    // answered in it.
    const double moment = load_.calls_per_s > 0 ? call->due : now;
    if (moment < start_ || moment >= end_) {
      return;
    }
    if (!call->status.ok()) {
      ++result_.errors;
      if (result_.first_error.empty()) {
        result_.first_error = call->status.error_message();
      }
      return;
    }
    ++result_.calls;
    result_.latencies_ms.push_back((now - call->due) * 1e3);
    if (result_.answer.empty()) {
      result_.answer = call->response.SerializeAsString();
    }
    KeepAnswers(*call);
  }

  void KeepAnswers(const Call& call) {
    for (uint32_t i = 0; i < load_.batch; ++i) {
      std::vector<uint32_t>& rows =
          answers_[(call.request * load_.batch + i) % dataset_.queries];
      const v1::SearchResponse* const answer =
          Method::Answer(call.response, static_cast<int>(i));
      if (!rows.empty() || answer == nullptr) {
        continue;
      }
      for (const uint64_t id : answer->packed().nums()) {
        rows.push_back(static_cast<uint32_t>(id));
      }
      rows.resize(load_.k, ~0U);
    }
  }

  void Drain() {
    void* tag = nullptr;
    bool ok = false;
    while (free_.size() < calls_.size() && queue_.Next(&tag, &ok)) {
      Take(static_cast<Call*>(tag));
    }
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Judge() {
    double sum = 0;
    for (uint32_t query = 0; query < dataset_.queries; ++query) {
      if (!answers_[query].empty()) {
        sum += TieAwareRecall(dataset_, query, answers_[query].data(), load_.k);
        ++result_.queries_judged;
      }
    }
    result_.recall = sum / static_cast<double>(
                               std::max<uint64_t>(result_.queries_judged, 1));
  }

  const ServerLoad& load_;
  const AnnDataset& dataset_;
  const std::vector<typename Method::Request> requests_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Stub>> stubs_;
  grpc::CompletionQueue queue_;
  std::vector<Call> calls_;
  std::vector<Call*> free_;
  uint64_t sent_ = 0;
  double start_ = 0;
  double end_ = 0;
  // Rows of each query's first answer.
  std::vector<std::vector<uint32_t>> answers_;
  LoadResult result_;
};

}  // namespace

double LoadResult::PercentileMs(double percent) const {
  if (latencies_ms.empty()) {
    return 0;
  }
  const double place =
      std::ceil(percent / 100 * static_cast<double>(latencies_ms.size()));
  const auto index = static_cast<size_t>(std::max(place, 1.0)) - 1;
  return latencies_ms[std::min(index, latencies_ms.size() - 1)];
}

absl::StatusOr<LoadResult> RunLoad(const ServerLoad& load,
                                   const AnnDataset& dataset) {
  LoadResult result = load.batch == 1 ? Loop<UnaryMethod>(load, dataset).Run()
                                      : Loop<BatchMethod>(load, dataset).Run();
  if (result.calls == 0) {
    return absl::UnavailableError(absl::StrCat(
        "no call to ", load.target, " was answered in ", load.seconds, " s: ",
        result.first_error.empty() ? "all are still under way"
                                   : result.first_error));
  }
  return result;
}

}  // namespace sextant
