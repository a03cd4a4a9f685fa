// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/status_from_grpc.h"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

#include "base/status_matchers.h"

namespace sextant::client {
namespace {

template <typename Detail>
std::string Details(const Detail& detail) {
  google::rpc::Status details;
  details.add_details()->PackFrom(detail);
  return details.SerializeAsString();
}

TEST(StatusFromGrpcTest, KeepsCodeAndMessage) {
  EXPECT_OK(StatusFromGrpc(grpc::Status::OK));
  EXPECT_THAT(
      StatusFromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "no 'a'")),
      StatusIs(absl::StatusCode::kNotFound, "no 'a'"));
}

TEST(StatusFromGrpcTest, AddsFieldsTheMessageDoesNotName) {
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field("limit");
  violation->set_description("must be 1 to 10,000");
  EXPECT_THAT(StatusFromGrpc(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                          "bad search", Details(bad))),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "bad search; limit: must be 1 to 10,000"));
  EXPECT_THAT(StatusFromGrpc(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                          "limit: 0", Details(bad))),
              StatusIs(absl::StatusCode::kInvalidArgument, "limit: 0"));
}

TEST(StatusFromGrpcTest, ReadsRetryInfo) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  const auto status = [&](const std::string& details) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "", details);
  };
  EXPECT_EQ(RetryDelayOf(status(Details(retry))), absl::Milliseconds(1500));
  EXPECT_EQ(RetryDelayOf(status("")), absl::nullopt);
  EXPECT_EQ(RetryDelayOf(status("\xff\xff not a message")), absl::nullopt);
  retry.mutable_retry_delay()->set_seconds(1'000'000'000);
  EXPECT_EQ(RetryDelayOf(status(Details(retry))), absl::Minutes(1));
  retry.mutable_retry_delay()->set_seconds(-5);
  EXPECT_EQ(RetryDelayOf(status(Details(retry))), absl::ZeroDuration());
}

}  // namespace
}  // namespace sextant::client
