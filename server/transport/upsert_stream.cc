// SPDX-License-Identifier: Apache-2.0
#include "server/transport/upsert_stream.h"

#include <utility>

#include "server/status_mapping.h"
#include "server/transport/call_context.h"

namespace sextant {
namespace {

// Acknowledgements that may wait for a client that does not read them.
constexpr size_t kAnswersMax = 64;

// Parsed messages that may wait for those before them, which are on their way
// to the disk: they follow as one group then.
constexpr size_t kPreparedMax = 4;
// A group is closed at this size; one larger message goes alone.
constexpr size_t kGroupBytesMax = 4 << 20;

// A message of a thousand points takes some hundred kilobytes besides its
// vectors.
google::protobuf::ArenaOptions ArenaBlocks() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 16 << 10;
  options.max_block_size = 256 << 10;
  return options;
}

absl::Status Stopping() {
  return RetryAfter(
      absl::UnavailableError("the server is stopping; every message that was "
                             "acknowledged is stored"),
      1000);
}

}  // namespace

UpsertStream::UpsertStream(const Environment* environment)
    : environment_(environment) {}

void UpsertStream::Arm(const Environment* environment) {
  CallRunner* const runner = environment->runner;
  if (runner->stopping()) {
    return;
  }
  runner->queue_users().Enter();
  const std::shared_ptr<UpsertStream> stream(new UpsertStream(environment));
  stream->self_ = stream;
  stream->context_.AsyncNotifyWhenDone(&stream->ended_event_);
  environment->request(&stream->context_, &stream->stream_,
                       &stream->received_event_);
}

void UpsertStream::OnReceived(bool ok) {
  CallRunner* const runner = environment_->runner;
  if (!ok) {
    self_.reset();  // the server has stopped; this is the end of the stream
    runner->queue_users().Leave();
    return;
  }
  Arm(environment_);
  start_ = RealClock::Get()->MonotonicNow();
  runner->options().metrics->RequestStarted(Method::kStreamUpsertPoints, 0);
  runner->open_calls().Enter(start_);
  environment_->open_streams->Add(self_);
  {
    const auto database = runner->options().state->database();
    const MutexLock lock(&mutex_);
    started_ = true;
    if (!database.ok()) {
      Fail(database.status());
    }
  }
  Advance();
}

void UpsertStream::Fail(const absl::Status& status) {
  if (failure_.ok()) {
    failure_ = status;
  }
}

void UpsertStream::Drain() {
  {
    const MutexLock lock(&mutex_);
    draining_ = true;
  }
  Advance();
}

void UpsertStream::OnRead(bool ok) {
  {
    const MutexLock lock(&mutex_);
    reading_ = false;
    if (!ok) {
      reads_ended_ = true;  // the client has sent everything, or is gone
    } else if (!finishing_) {
      received_ = std::move(reading_buffer_);
    }
    reading_buffer_.Clear();
  }
  Advance();
}

void UpsertStream::OnWritten(bool ok) {
  {
    const MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) {
      Fail(absl::CancelledError("the client is gone"));
      answers_.clear();
    }
  }
  Advance();
}

void UpsertStream::OnFinished(bool /*ok*/) {
  {
    const MutexLock lock(&mutex_);
    finished_ = true;
  }
  Advance();
}

void UpsertStream::OnEnded(bool /*ok*/) {
  cancelled_ = context_.IsCancelled();
  {
    const MutexLock lock(&mutex_);
    ended_ = true;
    if (cancelled_) {
      Fail(absl::CancelledError("the client is gone"));
      answers_.clear();
    }
  }
  Advance();
}

UpsertStream::Next UpsertStream::Decide() {
  Next next;
  if (!started_) {
    return next;
  }
  const bool open = failure_.ok() && !finishing_;
  if (open && received_.has_value() && !preparing_ &&
      prepared_.size() < kPreparedMax) {
    next.prepare = preparing_ = true;
  }
  if (open && !draining_ && !reading_ && !reads_ended_ &&
      !received_.has_value() && answers_.size() < kAnswersMax) {
    next.read = reading_ = true;
  }
  if (!finishing_ && !writing_ && !answers_.empty()) {
    writing_ = true;
    next.answer = std::move(answers_.front());
    answers_.pop_front();
  }
  const bool at_end =
      !failure_.ok() || (!Busy() && (reads_ended_ || draining_));
  if (at_end && !finishing_ && !preparing_ && !committing_ && !writing_ &&
      answers_.empty()) {
    finishing_ = true;
    if (!reads_ended_) {
      Fail(Stopping());
    }
    next.finish = failure_;
  }
  if (finished_ && ended_ && !reading_ && !writing_ && working_ == 0) {
    next.leave = !std::exchange(left_, true);
  }
  return next;
}

void UpsertStream::Advance() {
  Next next;
  {
    const MutexLock lock(&mutex_);
    next = Decide();
  }
  Start(std::move(next));
}

void UpsertStream::Start(Next next) {
  if (next.prepare) {
    SchedulePrepare();
  }
  if (next.read) {
    stream_.Read(&reading_buffer_, &read_event_);
  }
  if (next.answer) {
    stream_.Write(*next.answer, &written_event_);
  }
  if (next.finish) {
    stream_.Finish(ToGrpcStatus(*next.finish), &finished_event_);
  }
  if (next.leave) {
    Leave();
  }
}

void UpsertStream::SchedulePrepare() {
  {
    const MutexLock lock(&mutex_);
    ++working_;
  }
  const bool scheduled = environment_->runner->TrySchedule(
      Method::kStreamUpsertPoints,
      // The work keeps the stream alive.
      [stream = self_, now = RealClock::Get()->MonotonicNow()] {
        stream->Work(now);
      });
  if (scheduled) {
    return;
  }
  {
    const MutexLock lock(&mutex_);
    --working_;
    preparing_ = false;
    received_.reset();
    Fail(CallRunner::QueueFull(Method::kStreamUpsertPoints));
  }
  Advance();
}

void UpsertStream::Work(MonotonicTime scheduled) {
  CallRunner* const runner = environment_->runner;
  runner->WorkStarted(Method::kStreamUpsertPoints, scheduled);
  grpc::ByteBuffer message;
  {
    const MutexLock lock(&mutex_);
    message = *std::move(received_);
    received_.reset();
  }
  Advance();  // the next one can be received
  Prepared prepared = Prepare(message);
  message.Clear();
  bool commit = false;
  {
    const MutexLock lock(&mutex_);
    preparing_ = false;
    prepared_.push_back(std::move(prepared));
    commit = !committing_;
    committing_ = true;
  }
  if (commit) {
    CommitAll();
  }
  runner->WorkEnded(Method::kStreamUpsertPoints);
  {
    const MutexLock lock(&mutex_);
    --working_;
  }
  Advance();
}

UpsertStream::Prepared UpsertStream::Prepare(const grpc::ByteBuffer& message) {
  Prepared prepared;
  prepared.bytes = message.Length();
  const absl::Status status = CallRunner::Guarded([&]() -> absl::Status {
    const RequestContext context(ContextOf(context_, cancelled_));
    prepared.chunk = absl::CancelledError();
    if (absl::Status alive = context.Check(); !alive.ok()) {
      return alive;
    }
    google::protobuf::Arena arena(ArenaBlocks());
    auto* const request =
        google::protobuf::Arena::CreateMessage<v1::StreamUpsertPointsRequest>(
            &arena);
    if (absl::Status parsed = CallRunner::Parse(message, request);
        !parsed.ok()) {
      return parsed;
    }
    prepared.chunk =
        environment_->api->PrepareStreamChunk(*request, context, &state_);
    return prepared.chunk.status();
  });
  if (!status.ok()) {
    prepared.chunk = status;
  }
  return prepared;
}

std::vector<UpsertStream::Prepared> UpsertStream::TakeGroup() {
  std::vector<Prepared> group;
  size_t bytes = 0;
  while (!prepared_.empty()) {
    const Prepared& next = prepared_.front();
    bytes += next.bytes;
    const bool follows =
        group.empty() ||
        (next.chunk.ok() && bytes <= kGroupBytesMax &&
         next.chunk->collection == group.front().chunk->collection);
    if (!follows) {
      break;
    }
    group.push_back(std::move(prepared_.front()));
    prepared_.pop_front();
    if (!group.front().chunk.ok()) {
      break;
    }
  }
  return group;
}

void UpsertStream::CommitAll() {
  for (;;) {
    std::vector<Prepared> group;
    {
      const MutexLock lock(&mutex_);
      if (prepared_.empty() || !failure_.ok()) {
        committing_ = false;
        return;
      }
      group = TakeGroup();
    }
    Advance();  // the next ones can be parsed
    std::vector<grpc::ByteBuffer> answers;
    const absl::Status status = Commit(std::move(group), &answers);
    {
      const MutexLock lock(&mutex_);
      if (status.ok()) {
        for (grpc::ByteBuffer& answer : answers) {
          answers_.push_back(std::move(answer));
        }
      } else {
        Fail(status);
      }
    }
    Advance();
  }
}

absl::Status UpsertStream::Commit(std::vector<Prepared> group,
                                  std::vector<grpc::ByteBuffer>* answers) {
  std::vector<PointApi::StreamChunk> chunks;
  for (Prepared& prepared : group) {
    if (!prepared.chunk.ok()) {
      return prepared.chunk.status();
    }
    chunks.push_back(*std::move(prepared.chunk));
  }
  return CallRunner::Guarded([&]() -> absl::Status {
    const RequestContext context(ContextOf(context_, cancelled_));
    const auto responses =
        environment_->api->CommitStreamChunks(std::move(chunks), context);
    if (!responses.ok()) {
      return responses.status();
    }
    for (size_t i = 0; i < responses->size(); ++i) {
      grpc::ByteBuffer& answer = answers->emplace_back();
      if (absl::Status done = CallRunner::Serialize((*responses)[i], &answer);
          !done.ok()) {
        return done;
      }
      environment_->runner->options().metrics->StreamMessage(
          Method::kStreamUpsertPoints, group[i].bytes, answer.Length());
    }
    return absl::OkStatus();
  });
}

void UpsertStream::Leave() {
  absl::Status status;
  {
    const MutexLock lock(&mutex_);
    status = failure_;
  }
  if (cancelled_ && status.ok()) {
    status = absl::CancelledError("the client is gone");
  }
  CallRunner* const runner = environment_->runner;
  runner->CallEnded(Method::kStreamUpsertPoints, start_, status, 0);
  environment_->open_streams->Remove(this);
  runner->open_calls().Leave();
  self_.reset();  // may be the end of this
  runner->queue_users().Leave();
}

}  // namespace sextant
