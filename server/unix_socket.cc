// SPDX-License-Identifier: Apache-2.0
#include "server/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace sextant {
namespace {

// A zero byte ends the path.
constexpr size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

std::string SystemReason(int error) {
  return std::generic_category().message(error);
}

absl::Status CheckDirectory(const std::string& path) {
  const std::filesystem::path parent =
      std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    return absl::UnavailableError(
        absl::StrCat("its directory: ", SystemReason(errno)));
  }
  return absl::OkStatus();
}

// Whether some process listens on the socket at `path`. 0: yes; else the
// reason why not.
int ConnectError(const std::string& path) {
  const int socket_fd =
      ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_fd < 0) {
    return errno;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int result = ::connect(
      socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = result == 0 ? 0 : errno;
  ::close(socket_fd);
  // Its backlog is full: somebody listens.
  return error == EAGAIN ? 0 : error;
}

}  // namespace

absl::Status PrepareSocketPath(const std::string& path) {
  if (path.size() > kPathBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path of a Unix socket has at most ", kPathBytesMax,
                     " bytes, got ", path.size()));
  }
  RETURN_IF_ERROR(CheckDirectory(path));
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : absl::UnavailableError(SystemReason(errno));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return absl::UnavailableError(
        "there is a file that is no socket; remove it or choose another path");
  }
  switch (const int error = ConnectError(path); error) {
    case 0:
      return absl::UnavailableError("another process listens there");
    case ECONNREFUSED:
      break;  // left behind by a process that is gone
    default:
      return absl::UnavailableError(
          absl::StrCat("there is a socket of which nobody can tell whether it "
                       "is in use: ",
                       SystemReason(error)));
  }
  if (::unlink(path.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat(
        "there is a socket that a dead process left behind, and it cannot be "
        "removed: ",
        SystemReason(errno)));
  }
  return absl::OkStatus();
}

}  // namespace sextant
