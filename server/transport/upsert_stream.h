// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "server/api/point_api.h"
#include "server/transport/call_runner.h"
#include "server/transport/drain_set.h"
#include "server/transport/queue_event.h"

namespace sextant {

// One StreamUpsertPoints call. Messages go through three steps: read; parse and
// check; commit and acknowledge. While some are on their way to the disk the
// next ones are parsed, a few at most, and one more is received; then flow
// control holds the client back. What was parsed meanwhile is committed
// together: one durable write, in which each message keeps its own sequence
// number. Order is kept: acknowledgements come as the messages came, and
// nothing behind a message that fails is written.
//
// Owns itself while gRPC holds its events; also held by the set of open
// streams and by work in the write pool. Events come from search threads, the
// stopping server calls Drain().
class UpsertStream {
 public:
  using Set = DrainSet<UpsertStream>;
  using Stream =
      grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  // Everything named outlives the stream.
  struct Environment {
    const PointApi* api = nullptr;
    CallRunner* runner = nullptr;
    Set* open_streams = nullptr;
    // Asks gRPC for the next call.
    std::function<void(grpc::ServerContext* call, Stream* stream, void* tag)>
        request;
  };

  // Waits for a call; when there is one, the next stream is armed.
  static void Arm(const Environment* environment);

  // Ends the stream with UNAVAILABLE after the messages that were received.
  void Drain();

 private:
  // A message that was parsed and checked.
  struct Prepared {
    absl::StatusOr<PointApi::StreamChunk> chunk;
    size_t bytes = 0;
  };
  // What is to be started once the lock is released.
  struct Next {
    bool read = false;
    bool prepare = false;
    std::optional<grpc::ByteBuffer> answer;
    std::optional<absl::Status> finish;
    bool leave = false;
  };

  explicit UpsertStream(const Environment* environment);

  void OnReceived(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnEnded(bool ok);

  // Parses a message on a thread of the pool and, unless another thread is at
  // it, commits what is parsed.
  void Work(MonotonicTime scheduled);
  Prepared Prepare(const grpc::ByteBuffer& message);
  // Returns with no message left to commit.
  void CommitAll();
  // What waits in front and may become durable together.
  std::vector<Prepared> TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Commit(std::vector<Prepared> group,
                      std::vector<grpc::ByteBuffer>* answers);

  Next Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Busy() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return received_.has_value() || preparing_ || !prepared_.empty() ||
           committing_;
  }
  void Fail(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Starts what the state asks for. Not under the lock.
  void Advance();
  void Start(Next next);
  void SchedulePrepare();
  void Leave();

  const Environment* const environment_;
  std::shared_ptr<UpsertStream> self_;  // until gRPC is done with the call
  grpc::ServerContext context_;
  Stream stream_{&context_};
  MemberEvent<UpsertStream, &UpsertStream::OnReceived> received_event_{this};
  MemberEvent<UpsertStream, &UpsertStream::OnRead> read_event_{this};
  MemberEvent<UpsertStream, &UpsertStream::OnWritten> written_event_{this};
  MemberEvent<UpsertStream, &UpsertStream::OnFinished> finished_event_{this};
  MemberEvent<UpsertStream, &UpsertStream::OnEnded> ended_event_{this};
  MonotonicTime start_;
  std::atomic<bool> cancelled_{false};

  // Used by one step at a time.
  grpc::ByteBuffer reading_buffer_;
  PointApi::UpsertStreamState state_;  // by the one that prepares

  Mutex mutex_;
  // The end may be told before the beginning is dealt with.
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool reads_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::ByteBuffer> received_ ABSL_GUARDED_BY(mutex_);
  bool preparing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Prepared> prepared_ ABSL_GUARDED_BY(mutex_);
  bool committing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<grpc::ByteBuffer> answers_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  int working_ ABSL_GUARDED_BY(mutex_) = 0;  // threads in Work()
  bool left_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sextant
