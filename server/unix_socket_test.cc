// SPDX-License-Identifier: Apache-2.0
#include "server/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using testing::HasSubstr;

class UnixSocketTest : public testing::Test {
 protected:
  // Makes a socket at path_; returns what holds it open.
  int Listen() const {
    const int socket_fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    EXPECT_EQ(::bind(socket_fd, reinterpret_cast<const sockaddr*>(&address),
                     sizeof(address)),
              0);
    EXPECT_EQ(::listen(socket_fd, 1), 0);
    return socket_fd;
  }

  const TempDir directory_;
  const std::string path_ = directory_.Child("s");
};

TEST_F(UnixSocketTest, AFreePathIsFine) {
  EXPECT_OK(PrepareSocketPath(path_));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, ASocketInUseIsLeftAlone) {
  const int socket_fd = Listen();
  EXPECT_THAT(PrepareSocketPath(path_),
              StatusIs(absl::StatusCode::kUnavailable,
                       "another process listens there"));
  EXPECT_TRUE(std::filesystem::exists(path_));
  ::close(socket_fd);
}

TEST_F(UnixSocketTest, ASocketLeftBehindIsRemoved) {
  ::close(Listen());
  ASSERT_TRUE(std::filesystem::exists(path_));
  EXPECT_OK(PrepareSocketPath(path_));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, AFileIsLeftAlone) {
  std::ofstream(path_) << "mine";
  EXPECT_THAT(PrepareSocketPath(path_), StatusIs(absl::StatusCode::kUnavailable,
                                                 HasSubstr("is no socket")));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, PathsThatCannotBeAreNamed) {
  EXPECT_THAT(
      PrepareSocketPath("/" + std::string(107, 'x')),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "the path of a Unix socket has at most 107 bytes, got 108"));
  EXPECT_THAT(PrepareSocketPath(directory_.Child("missing/s")),
              StatusIs(absl::StatusCode::kUnavailable,
                       "its directory: No such file or directory"));
}

}  // namespace
}  // namespace sextant
