// SPDX-License-Identifier: Apache-2.0
#include "bench/transport_load.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"

#include "base/check.h"

namespace sextant {
namespace {

using SteadyClock = std::chrono::steady_clock;

double Since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// Processor time that a process has used.
double ProcessSeconds(pid_t pid) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  timespec time{};
  CHECK_EQ(::clock_getcpuclockid(pid, &clock), 0);
  CHECK_EQ(::clock_gettime(clock, &time), 0);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

struct LoadCall {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer answer;
  grpc::Status status;
};

class Loop {
 public:
  explicit Loop(const TransportLoad& load)
      : load_(load),
        stub_(grpc::CreateChannel(load.target,
                                  grpc::InsecureChannelCredentials())),
        calls_(static_cast<size_t>(load.outstanding)) {
    const grpc::Slice slice(load.request);
    request_ = grpc::ByteBuffer(&slice, 1);
    for (LoadCall& call : calls_) {
      Send(&call);
    }
  }

  // Answered calls within `seconds`.
  uint64_t RunFor(double seconds) {
    const auto start = SteadyClock::now();
    uint64_t answered = 0;
    while (Since(start) < seconds) {
      Send(Receive());
      ++answered;
    }
    return answered;
  }

  void Finish() {
    for (size_t i = 0; i < calls_.size(); ++i) {
      Receive();
    }
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

 private:
  void Send(LoadCall* call) {
    static const std::string kSearch = "/sextant.v1.SearchService/Search";
    call->context = std::make_unique<grpc::ClientContext>();
    call->reader = stub_.PrepareUnaryCall(
        call->context.get(), load_.batch ? kSearch + "Batch" : kSearch,
        request_, &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->answer, &call->status, call);
  }

  LoadCall* Receive() {
    void* tag = nullptr;
    bool ok = false;
    CHECK(queue_.Next(&tag, &ok));
    auto* const call = static_cast<LoadCall*>(tag);
    if (!call->status.ok()) {
      std::fprintf(stderr, "transport_bench: a call failed: %s\n",
                   call->status.error_message().c_str());
      std::_Exit(1);
    }
    return call;
  }

  const TransportLoad& load_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  grpc::ByteBuffer request_;
  std::vector<LoadCall> calls_;
};

}  // namespace

TransportRun RunTransportLoad(const TransportLoad& load) {
  Loop loop(load);
  loop.RunFor(load.seconds / 4);  // connect, warm up
  const auto start = SteadyClock::now();
  const double server = ProcessSeconds(load.server);
  const double client = ProcessSeconds(0);
  TransportRun run;
  run.calls = loop.RunFor(load.seconds);
  run.wall_s = Since(start);
  run.server_cpu_s = ProcessSeconds(load.server) - server;
  run.client_cpu_s = ProcessSeconds(0) - client;
  loop.Finish();
  return run;
}

}  // namespace sextant
