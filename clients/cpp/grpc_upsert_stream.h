// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"

#include "clients/cpp/client_options.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/retry.h"
#include "clients/cpp/upsert_stream.h"
#include "sextant/v1/point_service.pb.h"

namespace sextant::client {

// UpsertStream over gRPC's synchronous stream. It needs no thread: an
// acknowledgement is read when the window is full, and they are far too small
// to stop the server before that.
class GrpcUpsertStream final : public UpsertStream {
 public:
  GrpcUpsertStream(std::shared_ptr<Connection> connection,
                   std::string collection, const UpsertStreamOptions& options);
  ~GrpcUpsertStream() override;

  absl::Status Send(std::span<const Point> points) override;
  absl::Status Finish() override;
  const UpsertProgress& acknowledged() const override { return progress_; }

 private:
  using Message = v1::StreamUpsertPointsRequest;
  using Ack = v1::StreamUpsertPointsResponse;

  // Opens the stream and sends what is not acknowledged; false when it broke.
  bool Open();
  // Reads one acknowledgement; false when the stream broke or ended.
  bool ReadAck();
  // After a break: takes the acknowledgements that came, then opens a new
  // stream after a wait, or fails with the reason.
  absl::Status Recover();
  absl::Status Fail(const absl::Status& status);

  const std::shared_ptr<Connection> connection_;
  const std::string collection_;
  const size_t window_;
  const absl::Time deadline_;
  RetrySchedule schedule_;

  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<Message, Ack>> stream_;
  std::deque<Message> in_flight_;
  uint64_t next_ack_index_ = 0;  // on the open stream
  bool protocol_broken_ = false;
  UpsertProgress progress_;
  absl::Status closed_;  // why no more can be sent; OK while open
};

}  // namespace sextant::client
