// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "server/method.h"
#include "server/transport/call_runner.h"
#include "server/transport/queue_event.h"

namespace sextant {

class UnaryCall;

// One unary method of a service: calls that wait to be taken up, and what is
// done with them.
//
// Owned by the gRPC server, outlives its calls. Thread-safe.
class UnaryMethod {
 public:
  using Writer = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;
  struct Options {
    // Counted under this name, run in its pool. None (health checks): not
    // counted, run at once by the thread that took the call up.
    std::optional<Method> method;
    // Asks gRPC for the next call; `tag` comes back when there is one.
    std::function<void(grpc::ServerContext* call, grpc::ByteBuffer* in,
                       Writer* writer, void* tag)>
        request;
    // Answers. Empty `out` stays empty on an error.
    std::function<absl::Status(const grpc::ByteBuffer& in,
                               const RequestContext& context,
                               grpc::ByteBuffer* out)>
        handle;
  };

  UnaryMethod(CallRunner* runner, Options options);
  ~UnaryMethod();
  UnaryMethod(const UnaryMethod&) = delete;
  UnaryMethod& operator=(const UnaryMethod&) = delete;

  // Gets ready for `calls` new calls.
  void Arm(int calls);

 private:
  friend class UnaryCall;

  // A call that is done, to be used for another.
  void Recycle(std::unique_ptr<UnaryCall> call);

  CallRunner* const runner_;
  const Options options_;

  Mutex mutex_;
  std::vector<std::unique_ptr<UnaryCall>> spare_ ABSL_GUARDED_BY(mutex_);
};

// One call, from the moment gRPC is asked for it. While operations of it are
// under way gRPC holds the addresses of its events, and it owns itself; then it
// returns to its method.
class UnaryCall {
 public:
  explicit UnaryCall(UnaryMethod* method);

  // Waits for a call; `self` is this.
  static void Arm(std::unique_ptr<UnaryCall> self);

 private:
  void OnReceived(bool ok);
  void OnAnswered(bool ok);
  // The call is over for gRPC: answered, or given up by the client.
  void OnEnded(bool ok);

  void Admit();
  // In the method's pool.
  void Run();
  void Answer(const absl::Status& status);
  void Leave();

  UnaryMethod* const method_;
  MemberEvent<UnaryCall, &UnaryCall::OnReceived> received_{this};
  MemberEvent<UnaryCall, &UnaryCall::OnAnswered> answered_{this};
  MemberEvent<UnaryCall, &UnaryCall::OnEnded> ended_{this};

  // Of the present call.
  std::optional<grpc::ServerContext> context_;
  std::optional<UnaryMethod::Writer> writer_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  MonotonicTime start_;
  std::atomic<bool> cancelled_{false};
  // Operations that gRPC has not ended yet.
  std::atomic<int> operations_{0};
};

}  // namespace sextant
