// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/message.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/support/byte_buffer.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/thread_pool.h"
#include "server/method.h"
#include "server/serving_state.h"
#include "server/telemetry/log.h"
#include "server/telemetry/request_metrics.h"
#include "server/transport/open_calls.h"
#include "server/transport/queue_event.h"
#include "server/transport/search_loop.h"

namespace sextant {

// Threads at work and places to wait, for one kind of call.
struct PoolSize {
  size_t threads = 1;
  size_t queue = 1;
};

// Where calls are run and counted: searches by the threads that receive them,
// reads and writes, which wait for the disk, and works of minutes in pools.
// Admission is here: a call that finds its queue full is answered at once with
// RESOURCE_EXHAUSTED and RetryInfo.
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

  // `queue` outlives the runner.
  CallRunner(grpc::ServerCompletionQueue* queue, const Options& options);
  ~CallRunner();
  CallRunner(const CallRunner&) = delete;
  CallRunner& operator=(const CallRunner&) = delete;

  // Runs `work` in the pool of `method`; false when its queue is full (`work`
  // is dropped then). `work` begins with WorkStarted(), ends with WorkEnded(),
  // and throws nothing.
  [[nodiscard]] bool TrySchedule(Method method,
                                 absl::AnyInvocable<void()> work);
  void WorkStarted(Method method, MonotonicTime scheduled);
  void WorkEnded(Method method);
  static absl::Status QueueFull(Method method);

  // Counts a call that is about to be answered, and logs what an operator
  // should know.
  void CallEnded(Method method, MonotonicTime start, const absl::Status& status,
                 size_t response_bytes);

  // Parse, handler, serialise, on this thread. Running out of memory is
  // kResourceExhausted.
  template <typename Request, typename Response, typename Handler>
  static absl::Status ParseAndRun(const grpc::ByteBuffer& in,
                                  grpc::ByteBuffer* out,
                                  const RequestContext& context,
                                  const Handler& handler) {
    return Guarded([&]() -> absl::Status {
      google::protobuf::Arena arena(ArenaOnThisThread());
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

  // `body`, with what it throws for want of memory as a status.
  static absl::Status Guarded(absl::FunctionRef<absl::Status()> body);
  // kInvalidArgument names the field that is wrong.
  static absl::Status Parse(const grpc::ByteBuffer& in,
                            google::protobuf::Message* message);
  static absl::Status Serialize(const google::protobuf::Message& message,
                                grpc::ByteBuffer* out);

  const Options& options() const { return options_; }
  grpc::ServerCompletionQueue* queue() { return queue_; }
  SearchLoop* searches() { return &searches_; }
  OpenCalls& open_calls() { return open_calls_; }
  QueueUsers& queue_users() { return queue_users_; }

  // No new calls are waited for any more.
  void StopTaking() { stopping_ = true; }
  bool stopping() const { return stopping_; }
  // Waits until gRPC, which was shut down, is done with every call; then ends
  // the threads.
  void Stop();

 private:
  // Small requests and answers then need no memory of the heap.
  static google::protobuf::ArenaOptions ArenaOnThisThread();

  grpc::ServerCompletionQueue* const queue_;
  const Options options_;
  OpenCalls open_calls_;
  QueueUsers queue_users_;
  std::atomic<bool> stopping_{false};
  SearchLoop searches_;
  ThreadPool reads_;
  ThreadPool writes_;
  ThreadPool analyses_;
};

}  // namespace sextant
