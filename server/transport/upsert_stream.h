// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "server/api/point_api.h"
#include "server/transport/call_runner.h"
#include "server/transport/drain_set.h"

namespace sextant {

// One StreamUpsertPoints call: read a message, write it durably, send its
// acknowledgement, and again. One message is at work at a time, so
// acknowledgements come in order; flow control holds the client back.
//
// Owned by the set of open streams until gRPC is done with it. gRPC calls the
// On...() reactions, the write pool calls Work(), the stopping server calls
// Drain(); Finish() is called once by whoever comes first.
class UpsertStream final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  using Set = DrainSet<UpsertStream>;

  // Everything named outlives the stream.
  struct Environment {
    const PointApi* api = nullptr;
    CallRunner* runner = nullptr;
    Set* open_streams = nullptr;
  };

  // Enters `environment.open_streams` and begins to read.
  static UpsertStream* Start(const Environment& environment,
                             grpc::CallbackServerContext* call);

  // Ends the stream with UNAVAILABLE as soon as no message is at work.
  void Drain();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  enum class Step { kReading, kWorking, kWriting, kFinished };

  UpsertStream(const Environment& environment,
               grpc::CallbackServerContext* call);

  // Reads and writes what the last message said, on a thread of the pool.
  void Work();
  // Moves to `next`, unless the stream has finished; then returns false.
  bool Enter(Step next);
  void FinishOnce(const absl::Status& status);

  const Environment environment_;
  grpc::CallbackServerContext* const call_;
  const MonotonicTime start_;

  // Used by one step at a time.
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  PointApi::UpsertStreamState state_;

  Mutex mutex_;
  Step step_ ABSL_GUARDED_BY(mutex_) = Step::kReading;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  absl::StatusCode code_ ABSL_GUARDED_BY(mutex_) = absl::StatusCode::kOk;
};

}  // namespace sextant
