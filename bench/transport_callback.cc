// SPDX-License-Identifier: Apache-2.0
//
// The callback interface with messages as bytes: answered where gRPC calls, or
// in a pool.

#include <thread>

#include "base/check.h"
#include "base/thread_pool.h"
#include "bench/transport_design.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {
namespace {

using CallbackSearchService = v1::SearchService::WithRawCallbackMethod_Search<
    v1::SearchService::WithRawCallbackMethod_SearchBatch<
        v1::SearchService::Service>>;

class CallbackServer final : public EchoServer, public CallbackSearchService {
 public:
  // `pool_threads` 0: no pool.
  CallbackServer(const EchoWork& work, int pool_threads,
                 grpc::ServerBuilder* builder)
      : work_(work) {
    if (pool_threads > 0) {
      ThreadPoolOptions options;
      options.threads = pool_threads;
      pool_ = std::make_unique<ThreadPool>(options);
    }
    builder->RegisterService(this);
    server_ = builder->BuildAndStart();
  }
  ~CallbackServer() override { server_->Shutdown(); }

  grpc::ServerUnaryReactor* Search(grpc::CallbackServerContext* call,
                                   const grpc::ByteBuffer* /*in*/,
                                   grpc::ByteBuffer* out) override {
    return Run(call, out, false);
  }
  grpc::ServerUnaryReactor* SearchBatch(grpc::CallbackServerContext* call,
                                        const grpc::ByteBuffer* /*in*/,
                                        grpc::ByteBuffer* out) override {
    return Run(call, out, true);
  }

 private:
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* call,
                                grpc::ByteBuffer* out, bool batch) {
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    const auto answer = [this, reactor, out, batch] {
      *out = work_.Answer(batch);
      reactor->Finish(grpc::Status::OK);
    };
    if (pool_ == nullptr) {
      answer();
    } else {
      CHECK(pool_->TrySchedule(answer));
    }
    return reactor;
  }

  const EchoWork work_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<grpc::Server> server_;
};

std::unique_ptr<EchoServer> StartInline(const EchoWork& work,
                                        grpc::ServerBuilder* builder) {
  return std::make_unique<CallbackServer>(work, 0, builder);
}

std::unique_ptr<EchoServer> StartPooled(const EchoWork& work,
                                        grpc::ServerBuilder* builder) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  return std::make_unique<CallbackServer>(work, static_cast<int>(cores),
                                          builder);
}

}  // namespace

std::vector<TransportDesign> CallbackDesigns() {
  return {{"callback", "callback interface, answered in the callback",
           &StartInline},
          {"callback-pool",
           "callback interface, handed to a pool, one thread "
           "a core",
           &StartPooled}};
}

}  // namespace sextant
