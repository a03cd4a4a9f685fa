// SPDX-License-Identifier: Apache-2.0
#include "server/address.h"

#include "gtest/gtest.h"

#include "base/status_matchers.h"

namespace sextant {
namespace {

using testing::HasSubstr;

TEST(AddressTest, ReadsWhatItWrites) {
  for (const char* text :
       {"127.0.0.1:6350", "[::1]:6350", "localhost:0", "example.org:65535"}) {
    ASSERT_OK_AND_ASSIGN(const Address address, ParseAddress(text));
    EXPECT_EQ(address.ToString(), text);
  }
}

TEST(AddressTest, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", "6350", ":6350", "localhost", "localhost:", "localhost:65536",
        "localhost:-1", "localhost:+1", "localhost:6350x", "::1:6350", "[]:1",
        "[::1:6350", "localhost:1234567", "[::1]6350"}) {
    EXPECT_THAT(ParseAddress(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("must be host:port")))
        << text;
  }
}

TEST(AddressTest, KnowsLoopback) {
  for (const char* host : {"127.0.0.1", "127.255.0.7", "::1", "localhost"}) {
    EXPECT_TRUE(IsLoopback({host, 1})) << host;
  }
  for (const char* host :
       {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "localhost.example.org",
        "127.0.0.1.example.org", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(IsLoopback({host, 1})) << host;
  }
}

TEST(AddressTest, SaysWhyItCannotBeListenedOn) {
  EXPECT_OK(CheckListenable({"127.0.0.1", 0}));
  // An address of no interface of any machine (RFC 5737).
  EXPECT_THAT(CheckListenable({"192.0.2.1", 6350}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(AddressTest, WildcardsAreReachedThroughLoopback) {
  EXPECT_EQ(ReachableAddress({"0.0.0.0", 7}).ToString(), "127.0.0.1:7");
  EXPECT_EQ(ReachableAddress({"::", 7}).ToString(), "[::1]:7");
  EXPECT_EQ(ReachableAddress({"10.0.0.1", 7}).ToString(), "10.0.0.1:7");
}

}  // namespace
}  // namespace sextant
