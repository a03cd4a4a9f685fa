// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/thread_pool.h"
#include "server/method.h"
#include "server/serving_state.h"
#include "server/telemetry/log.h"
#include "server/telemetry/request_metrics.h"
#include "server/transport/open_calls.h"

namespace sextant {

// Threads at work and places to wait, for one kind of call.
struct PoolSize {
  size_t threads = 1;
  size_t queue = 1;
};

// Carries calls from gRPC's threads, which must not block, to the pools that
// do the work, and counts them. Admission is here: a call that finds its
// pool's queue full is answered at once with RESOURCE_EXHAUSTED and RetryInfo.
//
// Owned by the gRPC server, outlives every call. Thread-safe.
class CallRunner {
 public:
  struct Options {
    std::array<PoolSize, kPoolNames.size()> pools;
    ServingState* state = nullptr;
    RequestMetrics* metrics = nullptr;
    Log* log = nullptr;
  };

  explicit CallRunner(const Options& options);
  ~CallRunner();
  CallRunner(const CallRunner&) = delete;
  CallRunner& operator=(const CallRunner&) = delete;

  // Parses `in`, runs `handler(request, context, &response)` in the method's
  // pool and finishes the call.
  template <typename Request, typename Response, typename Handler>
  grpc::ServerUnaryReactor* Unary(Method method,
                                  grpc::CallbackServerContext* call,
                                  const grpc::ByteBuffer* in,
                                  grpc::ByteBuffer* out, Handler handler) {
    return RunUnary({method, call, in, out},
                    [in, out, handler = std::move(handler)](
                        const RequestContext& context) -> absl::Status {
                      return ParseAndRun<Request, Response>(*in, out, context,
                                                            handler);
                    });
  }

  // Runs `work` in the pool of `method`; false when its queue is full (`work`
  // is dropped then). What `work` throws by lack of memory must not leave it.
  [[nodiscard]] bool TrySchedule(Method method,
                                 absl::AnyInvocable<void()> work);

  // Parse, handler, serialise, on this thread. Running out of memory is
  // kResourceExhausted.
  template <typename Request, typename Response, typename Handler>
  static absl::Status ParseAndRun(const grpc::ByteBuffer& in,
                                  grpc::ByteBuffer* out,
                                  const RequestContext& context,
                                  const Handler& handler) {
    return Guarded([&]() -> absl::Status {
      google::protobuf::Arena arena;
      auto* const request =
          google::protobuf::Arena::CreateMessage<Request>(&arena);
      auto* const response =
          google::protobuf::Arena::CreateMessage<Response>(&arena);
      if (absl::Status status = Parse(in, request); !status.ok()) {
        return status;
      }
      if (absl::Status status = handler(*request, context, response);
          !status.ok()) {
        return status;
      }
      return Serialize(*response, out);
    });
  }

  static absl::Status QueueFull(Method method);

  const Options& options() const { return options_; }
  OpenCalls& open_calls() { return open_calls_; }
  ThreadPool* pool(Pool pool) { return pools_[IndexOf(pool)].get(); }

 private:
  struct UnaryCall {
    Method method;
    grpc::CallbackServerContext* call;
    const grpc::ByteBuffer* in;
    grpc::ByteBuffer* out;
  };
  using Body = absl::AnyInvocable<absl::Status(const RequestContext&)>;

  grpc::ServerUnaryReactor* RunUnary(const UnaryCall& call, Body body);

  static absl::Status Guarded(absl::FunctionRef<absl::Status()> body);
  static absl::Status Parse(const grpc::ByteBuffer& in,
                            google::protobuf::Message* message);
  static absl::Status Serialize(const google::protobuf::Message& message,
                                grpc::ByteBuffer* out);

  const Options options_;
  OpenCalls open_calls_;
  std::array<std::unique_ptr<ThreadPool>, kPoolNames.size()> pools_;
};

}  // namespace sextant
