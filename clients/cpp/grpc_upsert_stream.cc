// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/grpc_upsert_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "clients/cpp/convert.h"
#include "clients/cpp/status_from_grpc.h"

namespace sextant::client {

GrpcUpsertStream::GrpcUpsertStream(std::shared_ptr<Connection> connection,
                                   std::string collection,
                                   const UpsertStreamOptions& options)
    : connection_(std::move(connection)),
      collection_(std::move(collection)),
      window_(std::max<size_t>(options.window, 1)),
      deadline_(absl::Now() + options.timeout),
      schedule_(connection_->NewSchedule()) {}

GrpcUpsertStream::~GrpcUpsertStream() {
  if (stream_ != nullptr) {
    context_->TryCancel();
    stream_->Finish();
  }
}

bool GrpcUpsertStream::Open() {
  context_ = std::make_unique<grpc::ClientContext>();
  Connection::SetDeadline(deadline_, context_.get());
  next_ack_index_ = 0;
  stream_ = connection_->points().StreamUpsertPoints(context_.get());
  bool first = true;
  for (Message& message : in_flight_) {
    message.set_collection(first ? collection_ : "");
    first = false;
    if (!stream_->Write(message)) {
      return false;
    }
  }
  return true;
}

bool GrpcUpsertStream::ReadAck() {
  Ack ack;
  if (!stream_->Read(&ack)) {
    return false;
  }
  if (in_flight_.empty() || ack.message_index() != next_ack_index_) {
    protocol_broken_ = true;
    return false;
  }
  ++next_ack_index_;
  ++progress_.messages;
  progress_.points += static_cast<uint64_t>(in_flight_.front().points_size());
  progress_.inserted += ack.inserted();
  progress_.updated += ack.updated();
  progress_.applied_seq = ack.applied_seq();
  in_flight_.pop_front();
  schedule_.Reset();
  return true;
}

absl::Status GrpcUpsertStream::Fail(const absl::Status& status) {
  closed_ = status;
  in_flight_.clear();
  return status;
}

absl::Status GrpcUpsertStream::Recover() {
  while (true) {
    while (!protocol_broken_ && ReadAck()) {
    }
    if (protocol_broken_) {
      context_->TryCancel();
    }
    const grpc::Status status = stream_->Finish();
    stream_.reset();
    if (protocol_broken_) {
      return Fail(
          absl::InternalError("the server acknowledged messages out of order"));
    }
    if (status.ok()) {
      return Fail(absl::InternalError(
          absl::StrCat("the server closed the stream with ", in_flight_.size(),
                       " messages not acknowledged")));
    }
    const absl::Status explained = connection_->Explain(status);
    const absl::optional<absl::Duration> delay =
        schedule_.NextDelay(explained, RetryDelayOf(status));
    if (!delay.has_value() || absl::Now() + *delay >= deadline_) {
      return Fail(explained);
    }
    absl::SleepFor(*delay);
    if (Open()) {
      return absl::OkStatus();
    }
  }
}

absl::Status GrpcUpsertStream::Send(std::span<const Point> points) {
  RETURN_IF_ERROR(closed_);
  while (in_flight_.size() >= window_) {
    if (!ReadAck()) {
      RETURN_IF_ERROR(Recover());
    }
  }
  Message& message = in_flight_.emplace_back();
  for (const Point& point : points) {
    ToWire(point, message.add_points());
  }
  bool sent = false;
  if (stream_ == nullptr) {
    sent = Open();
  } else {
    sent = stream_->Write(message);
  }
  return sent ? absl::OkStatus() : Recover();
}

absl::Status GrpcUpsertStream::Finish() {
  RETURN_IF_ERROR(closed_);
  while (!in_flight_.empty()) {
    if (!ReadAck()) {
      RETURN_IF_ERROR(Recover());
    }
  }
  closed_ = absl::FailedPreconditionError("the stream is finished");
  if (stream_ == nullptr) {
    return absl::OkStatus();
  }
  stream_->WritesDone();
  Ack unexpected;
  while (stream_->Read(&unexpected)) {
  }
  const grpc::Status status = stream_->Finish();
  stream_.reset();
  // Everything is acknowledged: what happens to the empty stream is no loss.
  return status.error_code() == grpc::StatusCode::UNAVAILABLE
             ? absl::OkStatus()
             : connection_->Explain(status);
}

}  // namespace sextant::client
