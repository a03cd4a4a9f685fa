// SPDX-License-Identifier: Apache-2.0
#include "server/status_mapping.h"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/utf8.h"

namespace sextant {
namespace {

TEST(StatusMappingTest, EveryCodeStaysWhatItIs) {
  for (int code = 0; code <= 16; ++code) {
    const grpc::Status status =
        ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "why"));
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
    EXPECT_EQ(status.error_message(), code == 0 ? "" : "why");
    EXPECT_TRUE(status.error_details().empty());
  }
}

TEST(StatusMappingTest, FieldTravelsAsBadRequest) {
  const grpc::Status status =
      ToGrpcStatus(InvalidField("points[3].id", "required"));
  EXPECT_EQ(status.error_message(), "points[3].id: required");
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 3);
  EXPECT_EQ(details.message(), "points[3].id: required");
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(),
            "type.googleapis.com/google.rpc.BadRequest");
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.details(0).UnpackTo(&bad));
  ASSERT_EQ(bad.field_violations_size(), 1);
  EXPECT_EQ(bad.field_violations(0).field(), "points[3].id");
  EXPECT_EQ(bad.field_violations(0).description(), "required");
}

TEST(StatusMappingTest, DelayTravelsAsRetryInfo) {
  const grpc::Status status =
      ToGrpcStatus(RetryAfter(absl::UnavailableError("busy"), 1250));
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::RetryInfo retry;
  ASSERT_EQ(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 250'000'000);
}

// Trailing metadata is small: a message that quotes a client's megabyte must
// not become an error about the size of the error.
TEST(StatusMappingTest, LongOrBrokenTextIsMadePresentable) {
  const std::string huge(1 << 20, 'x');
  const grpc::Status status = ToGrpcStatus(InvalidField(huge, huge));
  EXPECT_LE(status.error_message().size(), kMessageBytesMax + 3);
  EXPECT_LE(status.error_details().size(), 4 * kMessageBytesMax);

  std::string euros;
  for (int i = 0; i < 1000; ++i) {
    euros += "\xe2\x82\xac";
  }
  const grpc::Status cut = ToGrpcStatus(absl::InternalError(euros));
  EXPECT_TRUE(IsValidUtf8(cut.error_message()));
  EXPECT_LE(cut.error_message().size(), kMessageBytesMax + 3);

  const grpc::Status broken = ToGrpcStatus(absl::InternalError("a\xff z"));
  EXPECT_EQ(broken.error_message(), "a? z");
}

}  // namespace
}  // namespace sextant
