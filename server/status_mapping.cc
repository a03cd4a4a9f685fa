// SPDX-License-Identifier: Apache-2.0
#include "server/status_mapping.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

#include "base/errors.h"
#include "base/utf8.h"

namespace sextant {
namespace {

constexpr absl::string_view kRetryUrl = "sextant/retry-after-ms";
// How protobuf writes an Any that every standard client understands.
constexpr char kTypePrefix[] = "type.googleapis.com";

std::string Presentable(absl::string_view text) {
  const bool cut = text.size() > kMessageBytesMax;
  text = text.substr(0, kMessageBytesMax);
  if (cut) {
    // Not through the middle of a character.
    while (!text.empty() && (text.back() & 0x80) != 0) {
      text.remove_suffix(1);
    }
  }
  std::string result(text);
  if (!IsValidUtf8(result)) {
    for (char& c : result) {
      c = (c & 0x80) != 0 ? '?' : c;
    }
  }
  if (cut) {
    result += "...";
  }
  return result;
}

uint32_t RetryDelayMs(const absl::Status& status) {
  uint32_t delay_ms = 0;
  const auto payload = status.GetPayload(kRetryUrl);
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &delay_ms)) {
    return 0;
  }
  return delay_ms;
}

}  // namespace

absl::Status RetryAfter(absl::Status status, uint32_t delay_ms) {
  status.SetPayload(kRetryUrl, absl::Cord(absl::StrCat(delay_ms)));
  return status;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) {
    return grpc::Status::OK;
  }
  // absl::StatusCode is defined to be gRPC's numbers.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = Presentable(status.message());
  const std::string field = InvalidFieldPath(status);
  const uint32_t delay_ms = RetryDelayMs(status);
  if (field.empty() && delay_ms == 0) {
    return grpc::Status(code, message);
  }
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  if (!field.empty()) {
    google::rpc::BadRequest bad_request;
    auto* const violation = bad_request.add_field_violations();
    violation->set_field(Presentable(field));
    absl::string_view problem = status.message();
    if (problem.size() > field.size() + 2) {
      problem.remove_prefix(field.size() + 2);  // "<field>: "
    }
    violation->set_description(Presentable(problem));
    details.add_details()->PackFrom(bad_request, kTypePrefix);
  }
  if (delay_ms != 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(delay_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(delay_ms % 1000 * 1'000'000));
    details.add_details()->PackFrom(retry, kTypePrefix);
  }
  return grpc::Status(code, message, details.SerializeAsString());
}

}  // namespace sextant
