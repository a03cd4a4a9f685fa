// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/status_from_grpc.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sextant::client {
namespace {

// A server that asks for more than this is not waited for.
constexpr absl::Duration kServerDelayMax = absl::Minutes(1);

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) {
    details.Clear();
  }
  return details;
}

}  // namespace

absl::Status StatusFromGrpc(const grpc::Status& status) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  std::string message = status.error_message();
  const google::rpc::Status details = Details(status);
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::BadRequest bad_request;
    if (!detail.UnpackTo(&bad_request)) {
      continue;
    }
    for (const auto& violation : bad_request.field_violations()) {
      if (!violation.field().empty() &&
          !absl::StrContains(message, violation.field())) {
        absl::StrAppend(&message, message.empty() ? "" : "; ",
                        violation.field(), ": ", violation.description());
      }
    }
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      message);
}

absl::optional<absl::Duration> RetryDelayOf(const grpc::Status& status) {
  const google::rpc::Status details = Details(status);
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&retry)) {
      const absl::Duration delay =
          absl::Seconds(retry.retry_delay().seconds()) +
          absl::Nanoseconds(retry.retry_delay().nanos());
      return std::clamp(delay, absl::ZeroDuration(), kServerDelayMax);
    }
  }
  return absl::nullopt;
}

}  // namespace sextant::client
