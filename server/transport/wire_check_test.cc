// SPDX-License-Identifier: Apache-2.0
#include "server/transport/wire_check.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "sextant/v1/point_service.pb.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {
namespace {

constexpr char kBroken[] = "BROKEN";

// Serialises `message`, then breaks the text "BROKEN" in it: protobuf itself
// would not let such bytes out.
std::string BrokenBytes(const google::protobuf::Message& message) {
  std::string bytes = message.SerializeAsString();
  const size_t at = bytes.find(kBroken);
  EXPECT_NE(at, std::string::npos);
  bytes[at] = '\xff';
  return bytes;
}

struct Case {
  const char* name;
  std::function<void(v1::UpsertPointsRequest*)> spoil;
  const char* path;
};

TEST(WireCheckTest, NamesTheTextThatIsNotUtf8) {
  const std::vector<Case> cases = {
      {"plain", [](auto* r) { r->set_collection(kBroken); }, "collection"},
      {"nested",
       [](auto* r) { r->mutable_points(2)->mutable_id()->set_str(kBroken); },
       "points[2].id.str"},
      {"repeated", [](auto* r) { r->mutable_points(1)->set_payload(kBroken); },
       "points[1].payload"},
      {"map key",
       [](auto* r) { (*r->mutable_points(0)->mutable_vectors())[kBroken]; },
       "points[0].vectors[?]"},
  };
  for (const Case& one : cases) {
    v1::UpsertPointsRequest request;
    for (int i = 0; i < 3; ++i) {
      (*request.add_points()->mutable_vectors())["v"].add_values(1);
    }
    one.spoil(&request);
    const std::string bytes = BrokenBytes(request);
    // What this file exists for: protobuf refuses the bytes without a word.
    EXPECT_FALSE(v1::UpsertPointsRequest().ParseFromString(bytes)) << one.name;
    const absl::Status status =
        DescribeParseFailure(*v1::UpsertPointsRequest::descriptor(), bytes);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 testing::HasSubstr("not valid UTF-8")))
        << one.name;
    EXPECT_EQ(InvalidFieldPath(status), one.path) << one.name;
  }
}

TEST(WireCheckTest, OtherBytesAreNoMessage) {
  for (const std::string& bytes :
       {std::string("\x0a\x05"
                    "abc",
                    5),
        std::string("\xff\xff\xff\xff\xff"),
        std::string("\x0a\xff\xff\xff\xff\x0f", 6), std::string("\x07")}) {
    EXPECT_THAT(DescribeParseFailure(*v1::SearchRequest::descriptor(), bytes),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::HasSubstr("not a sextant.v1.SearchRequest")));
  }
}

TEST(WireCheckTest, SurvivesAnyBytes) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  v1::UpsertPointsRequest request;
  request.set_collection("docs");
  for (int i = 0; i < 5; ++i) {
    v1::Point* const point = request.add_points();
    point->mutable_id()->set_str("id");
    point->set_payload("{}");
    (*point->mutable_vectors())["v"].add_values(1);
  }
  const std::string valid = request.SerializeAsString();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = valid.substr(0, random() % (valid.size() + 1));
    for (uint32_t i = random() % 4; i > 0 && !bytes.empty(); --i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    EXPECT_FALSE(
        DescribeParseFailure(*v1::UpsertPointsRequest::descriptor(), bytes)
            .ok());
  }
}

}  // namespace
}  // namespace sextant
