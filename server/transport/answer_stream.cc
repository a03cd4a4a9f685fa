// SPDX-License-Identifier: Apache-2.0
#include "server/transport/answer_stream.h"

#include <chrono>
#include <utility>

#include "server/status_mapping.h"
#include "server/transport/call_context.h"

namespace sextant {
namespace {

// Messages that may wait for a client that does not read them.
constexpr size_t kAnswersMax = 16;

// How often work that waits for the client looks at its deadline.
constexpr std::chrono::milliseconds kLook(50);

absl::Status Stopping() {
  return RetryAfter(
      absl::UnavailableError("the server is stopping; the work was not done"),
      1000);
}

}  // namespace

AnswerStream::AnswerStream(const Environment* environment)
    : environment_(environment) {}

void AnswerStream::Arm(const Environment* environment) {
  CallRunner* const runner = environment->runner;
  if (runner->stopping()) {
    return;
  }
  runner->queue_users().Enter();
  const std::shared_ptr<AnswerStream> stream(new AnswerStream(environment));
  stream->self_ = stream;
  stream->context_.AsyncNotifyWhenDone(&stream->ended_event_);
  environment->request(&stream->context_, &stream->in_, &stream->writer_,
                       &stream->received_event_);
}

void AnswerStream::OnReceived(bool ok) {
  CallRunner* const runner = environment_->runner;
  if (!ok) {
    self_.reset();  // the server has stopped; this is the end of the stream
    runner->queue_users().Leave();
    return;
  }
  Arm(environment_);
  start_ = RealClock::Get()->MonotonicNow();
  runner->options().metrics->RequestStarted(environment_->method, in_.Length());
  // Counted before the state is asked, so that a stop that begins in between
  // waits for this call.
  runner->open_calls().Enter(start_);
  environment_->open_streams->Add(self_);
  const auto database = runner->options().state->database();
  {
    const MutexLock lock(&mutex_);
    started_ = true;
    working_ = database.ok();
    if (!database.ok()) {
      outcome_ = database.status();
    }
  }
  if (database.ok()) {
    Schedule();
  } else {
    Advance();
  }
}

void AnswerStream::Schedule() {
  const bool scheduled =
      environment_->runner->TrySchedule(environment_->method,
                                        // The work keeps the stream alive.
                                        [stream = self_] { stream->Work(); });
  if (!scheduled) {
    End(CallRunner::QueueFull(environment_->method));
  }
}

void AnswerStream::Work() {
  CallRunner* const runner = environment_->runner;
  runner->WorkStarted(environment_->method, start_);
  absl::Status status;
  {
    const RequestContext context(ContextOf(context_, cancelled_));
    // Who waited too long in the queue gets no work done.
    status = context.Check();
    if (status.ok()) {
      status = CallRunner::Guarded([&] {
        return environment_->handle(
            in_, context, [&](const google::protobuf::Message& message) {
              return Queue(message, context);
            });
      });
    }
  }
  if (draining_ && status.code() == absl::StatusCode::kCancelled) {
    status = Stopping();
  }
  runner->WorkEnded(environment_->method);
  End(std::move(status));
}

absl::Status AnswerStream::Queue(const google::protobuf::Message& message,
                                 const RequestContext& context) {
  grpc::ByteBuffer answer;
  if (absl::Status done = CallRunner::Serialize(message, &answer); !done.ok()) {
    return done;
  }
  {
    const MutexLock lock(&mutex_);
    while (answers_.size() >= kAnswersMax) {
      if (absl::Status alive = context.Check(); !alive.ok()) {
        return alive;
      }
      room_.WaitFor(&mutex_, kLook);
    }
    if (absl::Status alive = context.Check(); !alive.ok()) {
      return alive;
    }
    answer_bytes_ += answer.Length();
    answers_.push_back(std::move(answer));
  }
  Advance();
  return absl::OkStatus();
}

void AnswerStream::End(absl::Status status) {
  {
    const MutexLock lock(&mutex_);
    outcome_ = std::move(status);
    working_ = false;
  }
  Advance();
}

void AnswerStream::Drain() {
  draining_ = true;
  cancelled_ = true;
}

void AnswerStream::OnWritten(bool ok) {
  if (!ok) {
    cancelled_ = true;
  }
  {
    const MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) {
      answers_.clear();
    }
    room_.NotifyAll();
  }
  Advance();
}

void AnswerStream::OnFinished(bool /*ok*/) {
  {
    const MutexLock lock(&mutex_);
    finished_ = true;
  }
  Advance();
}

void AnswerStream::OnEnded(bool /*ok*/) {
  const bool gone = context_.IsCancelled();
  if (gone) {
    cancelled_ = true;
  }
  {
    const MutexLock lock(&mutex_);
    ended_ = true;
    if (gone) {
      answers_.clear();
      room_.NotifyAll();
    }
  }
  Advance();
}

AnswerStream::Next AnswerStream::Decide() {
  Next next;
  if (!started_) {
    return next;
  }
  if (!writing_ && !finishing_ && !answers_.empty()) {
    writing_ = true;
    next.answer = std::move(answers_.front());
    answers_.pop_front();
    room_.NotifyAll();
  } else if (!writing_ && !finishing_ && outcome_.has_value()) {
    finishing_ = true;
    next.finish = *outcome_;
  }
  if (finished_ && ended_ && !writing_ && !working_) {
    next.leave = !std::exchange(left_, true);
  }
  return next;
}

void AnswerStream::Advance() {
  Next next;
  {
    const MutexLock lock(&mutex_);
    next = Decide();
  }
  if (next.answer) {
    writer_.Write(*next.answer, &written_event_);
  }
  if (next.finish) {
    writer_.Finish(ToGrpcStatus(*next.finish), &finished_event_);
  }
  if (next.leave) {
    Leave();
  }
}

void AnswerStream::Leave() {
  absl::Status status;
  size_t bytes = 0;
  {
    const MutexLock lock(&mutex_);
    status = *outcome_;
    bytes = answer_bytes_;
  }
  if (cancelled_ && status.ok()) {
    status = absl::CancelledError("the client is gone");
  }
  CallRunner* const runner = environment_->runner;
  runner->CallEnded(environment_->method, start_, status, bytes);
  environment_->open_streams->Remove(this);
  runner->open_calls().Leave();
  self_.reset();  // may be the end of this
  runner->queue_users().Leave();
}

}  // namespace sextant
