// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/connection.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace sextant::client {
namespace {

// Pages and batches with vectors are bigger than gRPC's 4 MiB.
constexpr int kReceiveBytesMax = 256 * 1024 * 1024;

}  // namespace

Connection::Connection(std::string target, const ClientOptions& options)
    : target_(std::move(target)), options_(options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  arguments.SetMaxSendMessageSize(-1);  // the server has the limit
  arguments.SetUserAgentPrefix("sextant-cpp");
  // One connection for each Client, not one for all of a process.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // In spite of its name: the time that one attempt to connect gets.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  channel_ = grpc::CreateCustomChannel(
      target_, grpc::InsecureChannelCredentials(), arguments);
  collections_ = v1::CollectionService::NewStub(channel_);
  points_ = v1::PointService::NewStub(channel_);
  searches_ = v1::SearchService::NewStub(channel_);
  normalizers_ = v1::NormalizerService::NewStub(channel_);
  hubness_ = v1::HubnessService::NewStub(channel_);
  adapters_ = v1::AdapterService::NewStub(channel_);
  query_samples_ = v1::QuerySampleService::NewStub(channel_);
}

RetrySchedule Connection::NewSchedule() const {
  return RetrySchedule(options_.retry, std::mt19937(std::random_device{}()));
}

absl::Time Connection::DeadlineOf(const CallOptions& call) const {
  const absl::Duration timeout = call.timeout.value_or(options_.timeout);
  return absl::Now() + timeout;
}

absl::Status Connection::Explain(const grpc::Status& status) const {
  absl::Status converted = StatusFromGrpc(status);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE &&
      channel_->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_READY) {
    return absl::UnavailableError(
        absl::StrCat(kCannotReach, " at ", target_, ": ", converted.message()));
  }
  return converted;
}

void Connection::SetDeadline(absl::Time deadline,
                             grpc::ClientContext* context) {
  if (deadline != absl::InfiniteFuture()) {
    context->set_deadline(absl::ToChronoTime(deadline));
  }
}

}  // namespace sextant::client
