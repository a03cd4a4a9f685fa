// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "server/method.h"
#include "server/transport/call_runner.h"
#include "server/transport/drain_set.h"
#include "server/transport/queue_event.h"

namespace sextant {

// One call with one request and many answers, made by a work of minutes in the
// pool of its method. The work waits when the client is slow to read, and ends
// early when the client is gone, its deadline is over or the server stops.
//
// Owns itself while gRPC holds its events; also held by the set of open streams
// and by its work. Events come from search threads, the stopping server calls
// Drain().
class AnswerStream {
 public:
  using Set = DrainSet<AnswerStream>;
  using Writer = grpc::ServerAsyncWriter<grpc::ByteBuffer>;
  // Queues a message. Not OK when nobody waits for it any more.
  using Send =
      absl::FunctionRef<absl::Status(const google::protobuf::Message&)>;

  // Everything named outlives the stream.
  struct Environment {
    Method method = Method::kTuneNormalizer;
    CallRunner* runner = nullptr;
    Set* open_streams = nullptr;
    // Asks gRPC for the next call.
    std::function<void(grpc::ServerContext* call, grpc::ByteBuffer* in,
                       Writer* writer, void* tag)>
        request;
    // Does the work, on one thread.
    std::function<absl::Status(const grpc::ByteBuffer& in,
                               const RequestContext& context, Send send)>
        handle;
  };

  // Waits for a call; when there is one, the next stream is armed.
  static void Arm(const Environment* environment);

  // Ends the work; the client is told UNAVAILABLE.
  void Drain();

 private:
  // What is to be started once the lock is released.
  struct Next {
    std::optional<grpc::ByteBuffer> answer;
    std::optional<absl::Status> finish;
    bool leave = false;
  };

  explicit AnswerStream(const Environment* environment);

  void OnReceived(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnEnded(bool ok);

  void Schedule();
  void Work();
  absl::Status Queue(const google::protobuf::Message& message,
                     const RequestContext& context);
  void End(absl::Status status);

  Next Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Starts what the state asks for. Not under the lock.
  void Advance();
  void Leave();

  const Environment* const environment_;
  std::shared_ptr<AnswerStream> self_;  // until gRPC is done with the call
  grpc::ServerContext context_;
  Writer writer_{&context_};
  grpc::ByteBuffer in_;
  MemberEvent<AnswerStream, &AnswerStream::OnReceived> received_event_{this};
  MemberEvent<AnswerStream, &AnswerStream::OnWritten> written_event_{this};
  MemberEvent<AnswerStream, &AnswerStream::OnFinished> finished_event_{this};
  MemberEvent<AnswerStream, &AnswerStream::OnEnded> ended_event_{this};
  MonotonicTime start_;
  // The client is gone or the server stops.
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> draining_{false};

  Mutex mutex_;
  CondVar room_;
  // The end may be told before the beginning is dealt with.
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<grpc::ByteBuffer> answers_ ABSL_GUARDED_BY(mutex_);
  size_t answer_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> outcome_ ABSL_GUARDED_BY(mutex_);
  bool working_ ABSL_GUARDED_BY(mutex_) = false;  // or waiting for a thread
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sextant
