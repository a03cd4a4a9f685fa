// SPDX-License-Identifier: Apache-2.0
#include "server/transport/upsert_stream.h"

#include <chrono>
#include <utility>

#include "server/status_mapping.h"
#include "server/transport/call_context.h"

namespace sextant {
namespace {

absl::Status Stopping() {
  return RetryAfter(
      absl::UnavailableError("the server is stopping; every message that was "
                             "acknowledged is stored"),
      1000);
}

}  // namespace

UpsertStream* UpsertStream::Start(const Environment& environment,
                                  grpc::CallbackServerContext* call) {
  // gRPC keeps the raw pointer until OnDone(), which leaves the set.
  const std::shared_ptr<UpsertStream> stream(
      new UpsertStream(environment, call));
  environment.open_streams->Add(stream);
  environment.runner->open_calls().Enter();
  environment.runner->options().metrics->RequestStarted(
      Method::kStreamUpsertPoints, 0);
  if (const auto database = environment.runner->options().state->database();
      !database.ok()) {
    stream->FinishOnce(database.status());
  } else {
    stream->StartRead(&stream->incoming_);
  }
  return stream.get();
}

UpsertStream::UpsertStream(const Environment& environment,
                           grpc::CallbackServerContext* call)
    : environment_(environment),
      call_(call),
      start_(RealClock::Get()->MonotonicNow()) {}

bool UpsertStream::Enter(Step next) {
  const MutexLock lock(&mutex_);
  if (step_ == Step::kFinished) {
    return false;
  }
  step_ = next;
  return true;
}

void UpsertStream::FinishOnce(const absl::Status& status) {
  {
    const MutexLock lock(&mutex_);
    if (step_ == Step::kFinished) {
      return;
    }
    step_ = Step::kFinished;
    code_ = status.code();
  }
  Finish(ToGrpcStatus(status));
}

void UpsertStream::Drain() {
  bool idle = false;
  {
    const MutexLock lock(&mutex_);
    draining_ = true;
    idle = step_ == Step::kReading;
  }
  if (idle) {
    FinishOnce(Stopping());
  }
}

void UpsertStream::OnReadDone(bool ok) {
  if (!ok) {
    // The client has sent everything, or is gone.
    FinishOnce(call_->IsCancelled() ? absl::CancelledError("cancelled")
                                    : absl::OkStatus());
    return;
  }
  if (!Enter(Step::kWorking)) {
    return;
  }
  if (!environment_.runner->TrySchedule(Method::kStreamUpsertPoints,
                                        [this] { Work(); })) {
    FinishOnce(CallRunner::QueueFull(Method::kStreamUpsertPoints));
  }
}

void UpsertStream::Work() {
  absl::Status status;
  outgoing_.Clear();
  {
    const RequestContext context(ContextOf(*call_));
    status = context.Check();
    if (status.ok()) {
      status = CallRunner::ParseAndRun<v1::StreamUpsertPointsRequest,
                                       v1::StreamUpsertPointsResponse>(
          incoming_, &outgoing_, context,
          [this](const v1::StreamUpsertPointsRequest& request,
                 const RequestContext& request_context,
                 v1::StreamUpsertPointsResponse* response) {
            return environment_.api->UpsertStreamMessage(
                request, request_context, &state_, response);
          });
    }
  }
  if (!status.ok()) {
    FinishOnce(status);
    return;
  }
  environment_.runner->options().metrics->StreamMessage(
      Method::kStreamUpsertPoints, incoming_.Length(), outgoing_.Length());
  if (Enter(Step::kWriting)) {
    StartWrite(&outgoing_);
  }
}

void UpsertStream::OnWriteDone(bool ok) {
  if (!ok) {
    FinishOnce(absl::CancelledError("the client is gone"));
    return;
  }
  bool stop = false;
  {
    const MutexLock lock(&mutex_);
    if (step_ == Step::kFinished) {
      return;
    }
    stop = draining_;
    step_ = stop ? step_ : Step::kReading;
  }
  if (stop) {
    FinishOnce(Stopping());
    return;
  }
  StartRead(&incoming_);
}

void UpsertStream::OnDone() {
  absl::StatusCode code = absl::StatusCode::kOk;
  {
    const MutexLock lock(&mutex_);
    code = code_;
  }
  const double seconds =
      std::chrono::duration<double>(RealClock::Get()->MonotonicNow() - start_)
          .count();
  environment_.runner->options().metrics->RequestEnded(
      Method::kStreamUpsertPoints, code, seconds, 0);
  CallRunner* const runner = environment_.runner;
  environment_.open_streams->Remove(this);  // may be the end of this
  runner->open_calls().Leave();
}

}  // namespace sextant
